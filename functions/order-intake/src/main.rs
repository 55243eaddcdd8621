//! The function that takes order events.

fn main() -> Result<(), saga_lambda::Error> {
    let intake = order_intake::Intake::from_variables(&saga_lambda::Variables::of_process())?;
    let intake = &intake;
    saga_lambda::serve_queue(async |message: &saga_lambda::Message, deadline| {
        intake.handle(message, deadline).await
    })
}
