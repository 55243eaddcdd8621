//! The function that settles sagas whose execution died.

fn main() -> Result<(), saga_lambda::Error> {
    let rescue = rescue::Rescue::from_variables(&saga_lambda::Variables::of_process())?;
    let rescue = &rescue;
    saga_lambda::serve_queue(async |message: &saga_lambda::Message, deadline| {
        rescue.handle(message, deadline).await
    })
}
