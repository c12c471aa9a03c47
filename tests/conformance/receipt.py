"""A receipt checked with the package `cryptography`: a verifier that shares
nothing with ext/receipt, so that a mistake of one shows in the other.

As a module: verify(answer, service_pem) raises Refused, or answers the id that
the receipt proves. As a program: reads lines of JSON {"answer": TEXT,
"service": PEM}, TEXT being what the ledger answered, and writes 1 or `0 why`
for each.
"""
import base64
import binascii
import hashlib
import hmac
import json
import re
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

MAX_PROOF = 64  # beyond any tree
MAX_ENDORSEMENTS = 64
EVIDENCE = re.compile(r"ce:((0|[1-9][0-9]*)\.(0|[1-9][0-9]*)):[0-9a-f]{64}", re.A)
DIGEST = re.compile(r"[0-9a-fA-F]{64}", re.A)
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
SPELLINGS = {
    "node_id": "nodeId",
    "service_endorsements": "serviceEndorsements",
    "leaf_components": "leafComponents",
    "claims_digest": "claimsDigest",
    "commit_evidence": "commitEvidence",
    "write_set_digest": "writeSetDigest",
    "is_signature_transaction": "isSignatureTransaction",
}


class Refused(Exception):
    """The receipt is not valid; says why."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def _demand(truth, why):
    if not truth:
        raise Refused(why)


def _unique(pairs):
    """A JSON object, of the newer spelling; a member given twice is refused."""
    found = {}
    for key, value in pairs:
        key = SPELLINGS.get(key, key)
        _demand(key not in found, f"{key} is given twice")
        found[key] = value
    return found


def parse(text):
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from error


def _digest(value, what):
    _demand(isinstance(value, str) and DIGEST.fullmatch(value), f"{what} is no digest")
    return bytes.fromhex(value)


def _certificate(pem, what):
    _demand(isinstance(pem, str), f"{what} is no text")
    _demand(len(PEM.findall(pem)) == 1, f"{what} is not one certificate")
    try:
        certificate = x509.load_pem_x509_certificate(pem.rstrip("\0").encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"{what}: {error}") from error
    _demand(isinstance(key, ec.EllipticCurvePublicKey), f"{what} has no EC key")
    return certificate


def _is_ca(certificate):
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _base64(text, what):
    _demand(isinstance(text, str), f"{what} is no text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"{what}: {error}") from error


def _claim(claim):
    kind = claim.get("kind")
    if kind == "LedgerEntry":
        entry = claim["ledgerEntry"]
        _demand(entry["protocol"] == "LedgerEntryV1", "unknown protocol")
        key = _base64(entry["secretKey"], "secretKey")
        parts = [
            hmac.new(key, entry[name].encode(), "sha256").digest()
            for name in ("collectionId", "contents")
        ]
        return sha256(b"LedgerEntryV1", sha256(*parts))
    _demand(kind == "ClaimDigest", "unknown kind of claim")
    digest = claim["digest"]
    _demand(digest["protocol"] == "LedgerEntryV1", "unknown protocol")
    return sha256(b"LedgerEntryV1", _digest(digest["value"], "a claim's digest"))


def claims_digest(claims):
    _demand(isinstance(claims, list) and claims, "no list of claims")
    try:
        digests = [_claim(claim) for claim in claims]
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(f"a claim's shape: {error!r}") from error
    return sha256(len(digests).to_bytes(4, "little"), *digests)


def _signed(child, parent, what):
    """child's signature is by parent's key, and parent may sign certificates."""
    _demand(_is_ca(parent), f"{what} is by no CA")
    _demand(child.issuer == parent.subject, f"{what} names another issuer")
    try:
        parent.public_key().verify(
            child.signature, child.tbs_certificate_bytes, ec.ECDSA(child.signature_hash_algorithm)
        )
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError) as error:
        raise Refused(f"{what} is not by the next key") from error


def verify(answer, service_pem):
    """answer: what the ledger answered, parsed by parse(). Returns its id."""
    _demand(isinstance(answer, dict), "no object")
    receipt = answer.get("receipt", answer)
    _demand(isinstance(receipt, dict), "there is no receipt")
    _demand(receipt.get("isSignatureTransaction") is not True, "of a signature")
    parts = receipt.get("leafComponents")
    _demand(isinstance(parts, dict), "there are no leafComponents")
    evidence = parts.get("commitEvidence")
    match = EVIDENCE.fullmatch(evidence) if isinstance(evidence, str) else None
    _demand(match, "commitEvidence is none")

    claims = answer.get("applicationClaims")
    shown = None if claims is None else claims_digest(claims)
    stated = parts.get("claimsDigest")
    stated = shown if stated is None else _digest(stated, "claimsDigest")
    _demand(stated is not None, "neither claimsDigest nor claims")
    _demand(shown in (None, stated), "the claims are others")

    node = _certificate(receipt.get("cert"), "cert")
    _demand(not _is_ca(node), "the node's certificate is a CA's")
    write_set = _digest(parts.get("writeSetDigest"), "writeSetDigest")
    root = sha256(write_set, sha256(evidence.encode()), stated)
    proof = receipt.get("proof")
    _demand(isinstance(proof, list) and len(proof) <= MAX_PROOF, "no proof")
    for step in proof:
        _demand(isinstance(step, dict) and len(step) == 1, "a step of the proof")
        ((side, value),) = step.items()
        _demand(side in ("left", "right"), "a step is neither left nor right")
        other = _digest(value, "a step")
        root = sha256(other, root) if side == "left" else sha256(root, other)

    signature = _base64(receipt.get("signature"), "signature")
    try:
        node.public_key().verify(signature, root, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except (InvalidSignature, ValueError) as error:
        raise Refused("the signature is not the node's over this root") from error
    spki = node.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if receipt.get("nodeId") is not None:
        _demand(_digest(receipt["nodeId"], "nodeId") == sha256(spki), "nodeId is another's")

    endorsements = receipt.get("serviceEndorsements")
    endorsements = [] if endorsements is None else endorsements
    _demand(isinstance(endorsements, list), "serviceEndorsements is no list")
    _demand(len(endorsements) <= MAX_ENDORSEMENTS, "too many endorsements")
    chain = [node] + [_certificate(pem, "an endorsement") for pem in endorsements]
    chain.append(_certificate(service_pem, "the service's certificate"))
    for child, parent in zip(chain, chain[1:]):
        _signed(child, parent, "a certificate")
    return match.group(1)


def main():
    for line in sys.stdin:
        job = json.loads(line)
        try:
            verify(parse(job["answer"]), job["service"])
            print("1")
        except Refused as why:
            print("0", str(why).replace("\n", " "))


if __name__ == "__main__":
    main()
