"""Runs MiniStack 1.5.33 with a context for each branch of a parallel state.

Its own branches share one, in which the task token stands, so that one branch can send the token of another.
"""

from ministack.services import stepfunctions


def with_a_context_of_its_own(run):
    def run_sub_machine(states, start_at, input_data, execution, ctx):
        own = {**ctx, "variables": dict(ctx.get("variables", {}))}
        return run(states, start_at, input_data, execution, own)

    return run_sub_machine


def main():
    stepfunctions._run_sub_machine = with_a_context_of_its_own(stepfunctions._run_sub_machine)

    from ministack.app import main as run

    run()


if __name__ == "__main__":
    main()
