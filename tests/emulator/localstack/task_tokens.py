"""A task token of its own for every attempt of a task, as on AWS.

LocalStack keeps the token of a task through its retries, and the answer to it: a retry fails at once with the failure of
the attempt before, and the answer to it is taken for the next one.
"""

from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)


def install():
    evaluate = StateTaskServiceCallback._evaluate_with_timeout

    def evaluate_attempt(self, env):
        context = env.states.context_object
        if "Task" in context.context_object_data and context.context_object_data["State"]["RetryCount"] > 0:
            env.callback_pool_manager.add(context.update_task_token())
        evaluate(self, env)

    StateTaskServiceCallback._evaluate_with_timeout = evaluate_attempt
