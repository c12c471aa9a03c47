"""The official Python client at the works of the bench.

    client.py WORK ROWS FOLDER

FOLDER has the ids to look up (id, shuffled) and takes the copy; the ledger is told
in LEDGER_EMULATOR_JSON. The last line is what the work is checked by. Nothing here
leaves the machine: every name is loopback.
"""
import json
import os
import socket
import sqlite3
import sys
import time
import urllib.parse

from azure.confidentialledger import ConfidentialLedgerClient
from azure.confidentialledger._version import VERSION
from azure.core.credentials import AccessToken

LEDGER = json.loads(os.environ["LEDGER_EMULATOR_JSON"])
PORT = urllib.parse.urlsplit(LEDGER["url"]).port
NAME = "subledger:0"
POLL = {"polling_interval": 0.005}  # not its 0.5 s
resolve = socket.getaddrinfo


def getaddrinfo(host, port, *args, **kwargs):
    """`*.localhost` is loopback, and so is the identity service's host."""
    name = host.decode() if isinstance(host, bytes) else host
    if not (name.endswith("localhost") or name.startswith("identity.")):
        raise socket.gaierror(socket.EAI_NONAME, f"the bench does not ask {name}")
    return resolve("127.0.0.1", PORT, *args, **kwargs)


socket.getaddrinfo = getaddrinfo


class Token:
    """A token that is there already, as the module is given it."""

    def get_token(self, *_scopes, **_options):
        return AccessToken(LEDGER["token"], int(time.time()) + 3600)


def connect(credential):
    return ConfidentialLedgerClient(
        LEDGER["url"], credential, ledger_certificate_path=LEDGER["service_certificate"])


def count(texts):
    number = size = 0
    for text in texts:
        number += 1
        size += len(text)
    return f"{number}|{size}"


def ids(rows):
    with open(os.path.join(FOLDER, "id"), encoding="utf-8") as file:
        return file.read().split()[:rows]


def first(_rows):
    from azure.identity import ClientSecretCredential

    # The authority is nobody whom Microsoft's list knows.
    undiscovered = ({"disable_instance_discovery": True}
                    if "disable_instance_discovery" in ClientSecretCredential.__doc__
                    else {"instance_discovery": False})  # so 1.13.0b2 called it
    at = connect(ClientSecretCredential(
        LEDGER["tenant_id"], LEDGER["client_id"], LEDGER["client_secret"],
        authority=LEDGER["authority"], connection_verify=LEDGER["ca_file"],
        **undiscovered))
    return next(iter(at.list_ledger_entries(collection_id=NAME)))["contents"]


def table(_rows):
    file = sqlite3.connect(os.path.join(FOLDER, "copy.db"))
    file.execute("CREATE TABLE copy(transaction_id, sub_ledger, contents)")
    file.executemany(
        "INSERT INTO copy VALUES(?, ?, ?)",
        ((each["transactionId"], each["collectionId"], each["contents"])
         for each in connect(Token()).list_ledger_entries(collection_id=NAME)))
    file.commit()
    return "{}|{}".format(*file.execute(
        "SELECT count(*), sum(length(contents)) FROM copy").fetchone())


def lookup(rows):
    at = connect(Token())
    return count(
        at.begin_get_ledger_entry(each, collection_id=NAME, **POLL).result()["entry"]["contents"]
        for each in ids(rows))


def receipts(rows):
    at = connect(Token())
    found = [at.begin_get_receipt(each, **POLL).result() for each in ids(rows)]
    return sum(each["receipt"]["signature"] != "" for each in found)


def verified(rows):
    """Verified by the client where it can (from 1.2 on), else by hand."""
    at = connect(Token())
    with open(LEDGER["service_certificate"], encoding="utf-8") as file:
        service = file.read()
    good = 0
    try:
        from azure.confidentialledger.receipt import verify_receipt
    except ImportError:
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "conformance"))
        import receipt as by_hand

        def verify_receipt(answer):
            return by_hand.verify(by_hand.parse(json.dumps(answer)), service)
    else:
        by_client = verify_receipt

        def verify_receipt(answer):
            by_client(answer["receipt"], service,
                      application_claims=answer.get("applicationClaims"))
            return answer["transactionId"]
    for each in ids(rows):
        answer = at.begin_get_receipt(each, **POLL).result()
        answer = answer if isinstance(answer, dict) else answer.as_dict()
        good += verify_receipt(answer) == each
    return good


def append(rows):
    """Without waiting for any commit but the last."""
    at = connect(Token())
    made = [at.create_ledger_entry({"contents": f"row {each}"}, collection_id="b")
            for each in range(rows)]
    at.begin_wait_for_commit(made[-1]["transactionId"], **POLL).result()
    return len({each["transactionId"] for each in made})


def start(_rows):
    connect(Token())
    return f"azure-confidentialledger {VERSION} for Python"


if __name__ == "__main__":
    FOLDER = sys.argv[3]
    sys.dont_write_bytecode = True
    works = (start, first, table, lookup, receipts, verified, append)
    print({each.__name__: each for each in works}[sys.argv[1]](int(sys.argv[2])))
