"""Amazon's DynamoDB Local from a folder that has it, instead of the archive that LocalStack downloads."""

import glob
import os
import subprocess

from localstack.services.dynamodb.server import DynamodbServer
from localstack.utils.threads import start_thread


def install(folder):
    """Makes LocalStack start the DynamoDB Local that is anywhere below this folder, with the Java of the PATH."""
    jars = sorted(glob.glob(os.path.join(folder, "**", "DynamoDBLocal.jar"), recursive=True))
    if not jars:
        raise SystemExit(f"there is no DynamoDBLocal.jar below {folder}: run `make venv-localstack`")
    home = os.path.dirname(jars[-1])
    DynamodbServer.do_start_thread = lambda server: start_thread(lambda _: run(server, home), name="dynamodb-local")


def run(server, home):
    """Runs it in the process group of LocalStack, so that both end together."""
    java = ["java", f"-Xmx{server.heap_size}", f"-Djava.library.path={home}/DynamoDBLocal_lib"]
    options = ["-jar", f"{home}/DynamoDBLocal.jar", "-port", str(server.port), "-inMemory", "-disableTelemetry"]
    return subprocess.run(java + options, cwd=home, stdin=subprocess.DEVNULL, check=False).returncode
