"""Signs one request with botocore at the time that it carries; prints the proof."""

from __future__ import annotations

import datetime
import json
import sys
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEY = "sk-oracle"


def main() -> None:
    """Reads the request from stdin: url, method, headers, body."""
    asked = json.load(sys.stdin)
    headers = asked["headers"]
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = {name: headers[name] for name in signed if name not in ("host", "x-amz-date")}
    kept.pop("x-amz-security-token", None)
    request = botocore.awsrequest.AWSRequest(
        method=asked["method"], url=asked["url"], headers=kept, data=asked["body"].encode()
    )
    keys = botocore.credentials.Credentials("AKIDORACLE", KEY, "TOKEN")
    at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        botocore.auth.SigV4Auth(keys, "bedrock", "us-east-1").add_auth(request)
    print(request.headers["Authorization"])


if __name__ == "__main__":
    main()
