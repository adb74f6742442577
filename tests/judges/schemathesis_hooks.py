"""What schemathesis is told that OpenAPI cannot say. It loads this file by its name in schemathesis.toml."""

import json

import jsonschema_rs
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, Failure

LINES = "application/x-ndjson"
BATCH = "/messages/batch"

# Problems that a message which is valid by its schema cannot have.
OF_FORM = {"not_json", "unknown_field", "duplicate_field", "wrong_type", "invalid_choice"}
# But for a word that excludes the others (RFC 3461 section 4.1).
NOTIFY = "#/dsn/notify/"

MESSAGE = {"from": "shop@example.com", "subject": "Hello", "text": "Hello, {{ name }}", "template": "merge"}

# ---- bodies that are no JSON

addresses = st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True)
recipients = st.one_of(
    addresses, st.fixed_dictionaries({"address": addresses, "variables": st.fixed_dictionaries({"name": st.text()})})
)
messages = st.one_of(
    st.fixed_dictionaries({"from": addresses, "to": addresses, "text": st.text()}),
    st.fixed_dictionaries({"from": addresses, "to": st.lists(addresses), "subject": st.text(), "html": st.text()}),
)


def as_lines(values: list[object]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


# A mail merge to /messages; to /messages/batch messages, some of which are none.
lines = st.one_of(
    st.lists(recipients, min_size=1).map(lambda those: as_lines([MESSAGE, *those])),
    st.lists(messages, min_size=1).map(as_lines),
)
mails = st.tuples(addresses, addresses, st.text()).map(
    lambda mail: f"From: {mail[0]}\r\nTo: {mail[1]}\r\nSubject: Hello\r\n\r\n{mail[2]}\r\n".encode()
)
OWN = {LINES: lines, "message/rfc822": mails}
for media_type, strategy in OWN.items():
    schemathesis.openapi.media_type(media_type, strategy)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Where bodies are made here, schemathesis takes no examples that are text. A test of ours posts each of them."""
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if media_type in OWN:
                    content.pop("examples", None)


# ---- what excludes what


@schemathesis.hook
def before_call(context, case, kwargs):
    """Takes out of right requests what OpenAPI cannot forbid: names of the query that exclude one another."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    known = {"recipient", "limit", "atomic"}
    query = {name: value for name, value in case.query.items() if name in known or case.media_type == "message/rfc822"}
    if "recipient" in query:
        query.pop("limit", None)
    if query != case.query:
        case.query = query


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A batch is answered before all of it is there: what is wrong with a message is told in its line."""
    if isinstance(failure, AcceptedNegativeData) and case.path == BATCH and response.status_code == 200:
        return not any("status" in json.loads(line) for line in response.content.splitlines())
    return True


# ---- checks


@schemathesis.check
def schema_says_all_of_the_form(context, response, case) -> None:
    """What the schema allows has the right names, types and words: other rules alone may refuse it."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    if case.media_type != "application/json" or case.path == BATCH:
        return
    errors = response.json()["errors"]
    of_form = [error for error in errors if error["code"] in OF_FORM and not error["pointer"].startswith(NOTIFY)]
    if of_form:
        raise Failure(
            operation=case.operation.label, title="Schema-valid message has problems of form", message=str(of_form)
        )


def line_validator(schema) -> jsonschema_rs.Validator:
    if not VALIDATORS:
        refs = [{"$ref": f"#/components/schemas/{name}"} for name in ("Receipt", "Problem")]
        VALIDATORS.append(jsonschema_rs.validator_for({"anyOf": refs, "components": schema.raw_schema["components"]}))
    return VALIDATORS[0]


# One, once it is made: there is one document in a run.
VALIDATORS: list[jsonschema_rs.Validator] = []


@schemathesis.check
def each_line_is_a_result(context, response, case) -> None:
    """A batch is answered with receipts and problems, a line each."""
    if case.path != BATCH or response.headers.get("content-type") != [LINES]:
        return
    validator = line_validator(case.operation.schema)
    for line in response.content.splitlines():
        try:
            validator.validate(json.loads(line))
        except jsonschema_rs.ValidationError as error:
            raise Failure(operation=case.operation.label, title="Wrong line", message=str(error)) from None
