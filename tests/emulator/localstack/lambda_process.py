"""Lambda functions as processes of this machine, instead of LocalStack's containers.

An execution environment is a process of the function's `bootstrap` and the server of the Lambda Runtime API that it
asks for work (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). A process that runs into the
function's timeout is killed and one that ended is replaced with the next invocation, as on AWS.
"""

import http.server
import json
import os
import queue
import subprocess
import tempfile
import threading
import time

from localstack import config
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import DockerRuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

INIT_LIMIT_SECONDS = 10
RUNTIME_PATH = "/2018-06-01/runtime"


def install():
    """Makes this the executor of every function."""
    DockerRuntimeExecutorPlugin.load = lambda *_: ProcessExecutor
    # LocalStack keeps a function's LoggingConfig and logs to the default group all the same.
    default = ExecutionEnvironment.get_log_group_name
    ExecutionEnvironment.get_log_group_name = lambda env: log_group(env.function_version) or default(env)


def log_group(function_version):
    """The group that a function is told to log to."""
    return (function_version.config.logging_config or {}).get("LogGroup")


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self.environment = {}
        self.sandbox = None

    def start(self, env_vars):
        self.environment = {name: str(value) for name, value in env_vars.items()}
        self.sandbox = self.new_sandbox()

    def stop(self):
        if self.sandbox:
            self.sandbox.kill()

    def invoke(self, payload):
        if self.sandbox.is_over():
            self.sandbox = self.new_sandbox()
        timeout_seconds = self.function_version.config.timeout
        request_id = payload["invoke-id"]
        body, is_error, logs = self.sandbox.invoke(payload, timeout_seconds)
        return InvocationResult(request_id, body, is_error, logs)

    def new_sandbox(self):
        folder = self.function_version.config.code.get_unzipped_code_location()
        return Sandbox(folder, self.environment)

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        # Only the program that LocalStack puts into its containers asks there.
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self):
        return self.sandbox.new_logs() if self.sandbox else ""

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


class Sandbox:
    """A process, what it wrote, and the server that gives it work."""

    def __init__(self, folder, environment):
        self.work = queue.Queue()
        self.news = queue.Queue()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
        self.server.daemon_threads = True
        self.server.sandbox = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        # A file, because what a process wrote before its answer is in it when the answer comes.
        self.output = tempfile.TemporaryFile(prefix="lambda-output-")
        self.read_until = 0
        host, port = self.server.server_address
        self.process = subprocess.Popen(
            [os.path.join(folder, "bootstrap")],
            cwd=folder,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                **environment,
                "AWS_LAMBDA_RUNTIME_API": f"{host}:{port}",
                "LAMBDA_TASK_ROOT": str(folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
        )
        threading.Thread(target=self.watch, daemon=True).start()
        self.wait_for_init()

    def watch(self):
        self.process.wait()
        self.news.put(("ended", None, None))

    def wait_for_init(self):
        try:
            what, _, body = self.news.get(timeout=INIT_LIMIT_SECONDS)
        except queue.Empty:
            what, body = "slow", None
        if what == "ready":
            return
        self.kill()
        body = body or problem("Runtime.ExitError", f"the runtime is not ready: {what}, {self.new_logs()}")
        raise StatusErrorException("the runtime did not start", payload=body)

    def invoke(self, payload, timeout_seconds):
        """Gives the body of the answer, whether it is an error, and what was logged."""
        request_id = payload["invoke-id"]
        begun = time.monotonic()
        self.work.put({**payload, "deadline-ms": int((time.time() + timeout_seconds) * 1000)})
        what, body = self.answer(request_id, begun + timeout_seconds)
        if what == "timeout":
            body = problem("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_seconds}.00 seconds")
        elif what == "ended":
            body = problem("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with {self.process.poll()}")
        if what in ("timeout", "ended"):
            self.kill()
        taken = (time.monotonic() - begun) * 1000
        report = f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {taken:.2f} ms\n"
        logs = f"START RequestId: {request_id}\n{self.new_logs()}{report}"
        return body, what != "response", logs

    def answer(self, request_id, deadline):
        while True:
            try:
                what, about, body = self.news.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                return "timeout", None
            if what == "ended" or about == request_id:
                return what, body

    def is_over(self):
        return self.process.poll() is not None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.work.put(None)
        self.server.shutdown()
        self.server.server_close()

    def new_logs(self):
        """What was written since this was asked last, in whole lines that end."""
        size = os.fstat(self.output.fileno()).st_size
        text = os.pread(self.output.fileno(), size - self.read_until, self.read_until)
        self.read_until = size
        text = text.decode(errors="replace")
        return text if not text or text.endswith("\n") else text + "\n"


class RuntimeApi(http.server.BaseHTTPRequestHandler):
    """The server's side of the Lambda Runtime API."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        sandbox = self.server.sandbox
        if self.path != f"{RUNTIME_PATH}/invocation/next":
            return self.reply(404, b"{}")
        sandbox.news.put(("ready", None, None))
        work = sandbox.work.get()
        if work is None:
            self.close_connection = True
            return None
        return self.reply(
            200,
            work["payload"].encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": work["invoke-id"],
                "Lambda-Runtime-Deadline-Ms": str(work["deadline-ms"]),
                "Lambda-Runtime-Invoked-Function-Arn": work["invoked-function-arn"],
                "Lambda-Runtime-Trace-Id": work["trace-id"],
            },
        )

    def do_POST(self):
        news = self.server.sandbox.news
        body = self.body()
        match self.path.removeprefix(f"{RUNTIME_PATH}/").split("/"):
            case ["invocation", request_id, "response" | "error" as what]:
                news.put((what, request_id, body))
            case ["init", "error"]:
                news.put(("init error", None, body))
            case _:
                return self.reply(404, b"{}")
        return self.reply(202, b'{"status":"OK"}')

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """LocalStack logs every invocation itself."""


def problem(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
