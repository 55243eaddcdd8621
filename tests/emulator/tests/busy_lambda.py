"""Makes an emulator start what must not be left behind: its DynamoDB, and a Lambda process that stays busy."""

import io
import json
import zipfile

import botocore.session

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as bundle:
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    bundle.writestr(entry, "#!/bin/sh\nsleep 600\n")

session = botocore.session.get_session()
session.create_client("dynamodb").list_tables()
# With IAM enforced, as on AWS, a function needs a role that exists.
may_assume = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = session.create_client("iam").create_role(
    RoleName="busy",
    AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_assume]}),
)
lambda_client = session.create_client("lambda")
lambda_client.create_function(
    FunctionName="busy",
    Runtime="provided.al2023",
    Role=role["Role"]["Arn"],
    Handler="bootstrap",
    Code={"ZipFile": archive.getvalue()},
    Timeout=300,
)
# Some emulators make it ready in the background, as AWS does.
lambda_client.get_waiter("function_active_v2").wait(FunctionName="busy", WaiterConfig={"Delay": 1})
lambda_client.invoke(FunctionName="busy", InvocationType="Event", Payload=b"{}")
