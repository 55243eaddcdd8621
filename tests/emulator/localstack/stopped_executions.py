"""An execution that was stopped is aborted, as on AWS.

LocalStack goes on with what the execution was just at, which fails without the rest of it, and takes that for its end: the
execution is FAILED, with an error of Python, or with that of a branch.
"""

from localstack.services.stepfunctions.asl.eval.environment import Environment
from localstack.services.stepfunctions.asl.eval.program_state import ProgramStopped


def install():
    set_error = Environment.set_error

    def set_error_unless_stopped(self, error):
        if not isinstance(self.program_state(), ProgramStopped):
            set_error(self, error)

    Environment.set_error = set_error_unless_stopped
