//! The function that tells customers how their orders ended.

fn main() -> Result<(), saga_lambda::Error> {
    let notifier = notification::Notifier::from_variables(&saga_lambda::Variables::of_process())?;
    let notifier = &notifier;
    saga_lambda::serve_queue(async |message: &saga_lambda::Message, deadline| {
        notifier.handle(message, deadline).await
    })
}
