"""A program that submits by the package for Python: a line of JSON asks, `{message, key}`, and its receipt is a line.

Its arguments are the pickup directory and the name of the folder beside it that has the keys.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "python"))

import pmtaemail  # noqa: E402

folder = Path(sys.argv[1])
pickup = pmtaemail.Pickup(folder, state=folder.with_name(sys.argv[2]))
for line in sys.stdin:
    request = json.loads(line)
    try:
        receipt = pickup.submit(request["message"], idempotency_key=request["key"])
        answer = receipt.asdict()
    except pmtaemail.PickupError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
