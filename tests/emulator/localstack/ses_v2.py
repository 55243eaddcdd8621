"""The one call of Amazon SES v2 that the notification function makes; the community edition has version 1 only.

What is sent is kept where version 1 keeps it and shown at /_aws/ses. Nothing else of the API is there.
"""

from localstack.http import Request, Response, route
from localstack.services.edge import ROUTER
from localstack.services.ses import provider as ses
from localstack.utils.aws.request_context import extract_region_from_headers
from localstack.utils.strings import long_uid


def install():
    """Adds the call and the mailbox, which LocalStack itself shows only after a call of version 1."""
    ROUTER.add(send_email)
    ses.register_ses_api_resource()


@route("/v2/email/outbound-emails", methods=["POST"])
def send_email(request: Request):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""
    asked = request.get_json(silent=True) or {}
    simple = asked.get("Content", {}).get("Simple")
    if simple is None:
        return Response('{"message":"only simple content is served here"}', status=400)
    bodies = simple["Body"]
    message_id = long_uid()
    ses.save_for_retrospection(
        {
            "Id": message_id,
            "Region": extract_region_from_headers(request.headers),
            "Source": asked.get("FromEmailAddress"),
            "Destination": asked.get("Destination", {}),
            "Subject": simple["Subject"]["Data"],
            "Body": {name.lower() + "_part": bodies.get(name, {}).get("Data") for name in ("Text", "Html")},
        }
    )
    return {"MessageId": message_id}
