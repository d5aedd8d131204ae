#!/usr/bin/env python3
"""Writes the seed corpora from the test vectors: python3 tests/fuzz/seeds.py

Standard library only. The seeds that this writes are called seed-…; other files in a corpus folder
(inputs that once failed) are left alone.
"""

import base64
import json
import pathlib

FUZZ = pathlib.Path(__file__).resolve().parent
VECTORS = FUZZ.parent / "vectors"
PROTOCOL = VECTORS / "protocol"

# Enough variety for a smoke test; a longer run finds the rest by itself.
BAD_PER_TARGET = 12


def load(path):
    return json.loads((VECTORS / path).read_text())


def write(target, name, octets):
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(octets, str):
        octets = octets.encode()
    (folder / f"seed-{name}").write_bytes(octets)


def spread(records):
    """At most BAD_PER_TARGET of them, evenly."""
    step = max(1, len(records) // BAD_PER_TARGET)
    return records[::step][:BAD_PER_TARGET]


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def tokens():
    passports = load("protocol/passports.json")["passports"]
    good = [record for record in passports if record["accept"]]
    bad = [record for record in passports if not record["accept"]]
    for record in good + spread(bad):
        write("passport", record["id"], record["token"])
    for record in good[:4]:
        write("jws", record["id"], record["token"])
        header, payload, signature = record["token"].split(".")
        write("json", "header-" + record["id"], unpadded(header))
        write("json", "payload-" + record["id"], unpadded(payload))
        write("base64url", record["id"], signature)
        raw = unpadded(signature)
        write("signature", "raw-" + record["id"], raw)
        write("signature", "der-" + record["id"], der_signature(raw))
    write("json", "numbers", '{"a":[0,-1,1.5,1e3,18446744073709551615],"b":"\\u00e9\\ud83d\\ude00"}')
    write("json", "deep", "[" * 8 + "]" * 8)
    printed = load("stir-rfc-passports/passports.json")
    key = next(record for record in printed if record["id"] == "rfc8225-A")["printed_private_key_pem"]
    write("private_key", "file", key)
    der = base64.b64decode("".join(key.splitlines()[1:-1]))
    write("private_key", "der", der)
    # Without the public key, and the lengths of what it was in.
    write("private_key", "short", b"\x30\x41" + der[3:27] + b"\x04\x27\x30\x25" + der[31:68])
    statements = load("protocol/statements.json")
    for record in statements["good"]:
        write("jws", "statement-" + record["id"], record["directory_form"])
        write("key_statement", "directory-" + record["id"], record["directory_form"])
        write("key_statement", "inline-" + record["id"], record["inline_form"])
    for record in spread(statements["bad"]):
        write("key_statement", record["id"], record["token"])


def der_signature(raw):
    def integer(octets):
        octets = octets.lstrip(b"\0") or b"\0"
        octets = b"\0" + octets if octets[0] & 0x80 else octets
        return b"\x02" + bytes([len(octets)]) + octets

    body = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


def certificates():
    records = load("protocol/certificates.json")["certificates"]
    for record in records:
        write("certificate", record["label"].replace(" ", "-"), base64.b64decode(record["der"]))
    write("certificate_bag", "x5c", "\n".join(record["der"] for record in records[:4]))
    root = (VECTORS / "stir-constructed/root.pem").read_text()
    for path in sorted((VECTORS / "stir-constructed/chains").glob("*.pem")):
        write("certificate_bag", path.stem, path.read_text())
        write("verify_path", path.stem, path.read_text() + root)
    for record in load("protocol/tn-auth-lists.json")["lists"]:
        write("tn_auth_list", record["der"][:24], bytes.fromhex(record["der"]))
    for name in ("good", "odd", "bad"):
        for record in load(f"stir-tnauthlist/{name}.json"):
            write("tn_auth_list", record["id"], bytes.fromhex(record["der_hex"]))


def addresses():
    for index, record in enumerate(load("protocol/placement.json")["paths"]):
        number = record["path"]
        write("number", f"path-{index}", number)
        request = f"GET /cps/{number}/ppts\naccept: application/passport, application/json\n\n"
        write("http_request", f"path-{index}", request)
    for index, record in enumerate(load("stir-syntax/tn-canonical.json")["cases"]):
        write("number", f"uri-{index}", record["uri"])
    references = "/cps/12025550199/ppts/AAAAAAAAAAAAAAAAAAAAAA\n../x\n//other.example/\nhttps://a.b/"
    for index, base in enumerate(
        ["https://cps.example.com", "https://CPS.example.com:8443/a/b/", "https://[2001:db8::1]/x"]
    ):
        write("base_url", str(index), f"{base}\n{references}")
    write("x5u", "plain", "https://cert.example.org/passport.cer")
    write("x5u", "port", "https://cert.example.org:8443/a/b.pem?x=y")


def sealed():
    blobs = load("protocol/blobs.json")
    for record in blobs["good"][:2]:
        write("blob", record["id"], unpadded(record["blob"]))
    write("blob", "text", blobs["good"][0]["blob"])
    for record in load("protocol/contents.json")["contents"]:
        octets = record["text"].encode() if "text" in record else bytes.fromhex(record["octets"])
        write("content", record["id"], octets)
    keys = load("protocol/keys.json")
    for record in keys["encryption"] + keys["signing"][:1]:
        write("keys", record["label"].replace(" ", "-"), bytes.fromhex(record["public"]))


def messages():
    placement = load("protocol/placement.json")
    head = "POST /cps/12025550199/ppts\ncontent-type: application/passport\n\n"
    for record in placement["bodies"][:5]:
        write("http_request", "store-" + record["id"], head + record["body"])
    blob = load("protocol/blobs.json")["good"][0]["blob"]
    statement = load("protocol/statements.json")["good"][0]["directory_form"]
    head = "PUT /prefix/keys/12025550199\ncontent-type: application/jose\n\n"
    write("http_request", "publish", head + statement)
    write("http_answer", "blobs", f"200\ncontent-type: application/passport\n\n{blob}\n{blob}\n")
    write("http_answer", "item", f"200\ncontent-type: application/passport\n\n{blob}\n")
    item = "/prefix/cps/12025550199/ppts/AAAAAAAAAAAAAAAAAAAAAA"
    for status in (200, 201):
        head = f"{status}\ncontent-type: application/json\n\n"
        write("http_answer", f"references-{status}", head + json.dumps([item]))
    head = "200\ncontent-type: application/json\n\n"
    write("http_answer", "health", head + '{"status":"ok"}')
    for record in load("protocol/directory.json")["answers"][:3]:
        write("http_answer", "directory-" + record["id"], head + record["body"])
    problem = {"type": "urn:ringtrue:problem:over-limit", "title": "try again later", "status": 429}
    head = "429\ncontent-type: application/problem+json\nretry-after: 5\n\n"
    write("http_answer", "problem", head + json.dumps(problem))
    write("http_answer", "published", "204\n\n")


# As in tests/src/fuzz_targets/claims.rs.
TYPES = [None, "div", "div-o", "msec", "msg", "rcd", "rph", "rsp", "shaken", "stirred", ""]


def claims():
    for record in load("stir-constructed/passports.json"):
        write("passport", "constructed-" + record["id"], record["token"])
        try:
            header, payload = (unpadded(part) for part in record["token"].split(".")[:2])
            ppt = json.loads(header).get("ppt")
        except ValueError:
            continue
        if ppt in TYPES:
            write("claims", record["id"], bytes([TYPES.index(ppt)]) + payload)
    base = '"dest":{"tn":["12025550199"]},"iat":1443208345,"orig":{"tn":"12025550143"}'
    written = {
        "div": f'{{{base},"div":{{"hi":"1.1","tn":"12025550150"}}}}',
        "div-o": f'{{{base},"div":{{"uri":"sip:a@b.example"}},"opt":"a.b.c"}}',
        "msec": f'{{{base},"mky":[{{"alg":"sha-256","dig":"{"AB" * 32}"}}]}}',
        "msg": f'{{{base},"msgi":"sha256-{"A" * 43}="}}',
        "rph": f'{{{base},"rph":{{"ESorig":["esnet.1","esnet.2"]}},"sph":"psap-callback"}}',
        "rcd": f'{{{base},"crn":"for your delivery","rcd":{{"apn":"12025550100","nam":"A"}}}}',
    }
    for ppt, payload in written.items():
        write("claims", ppt, bytes([TYPES.index(ppt)]) + payload.encode())


def signalling():
    for index, record in enumerate(load("stir-syntax/identity-parse.json")["cases"]):
        write("identity_header", str(index), record["value"])
    for name, value in load("stir-rfc-passports/identity-headers.json")["values"].items():
        write("identity_header", "printed-" + name, value)
    for index, value in enumerate(load("stir-rfc-passports/reason-headers.json")["values"]):
        write("reason_header", f"printed-{index}", value["value"])
    write("reason_header", "two", 'SIP;cause=486;text="Busy", STIR ;cause=436 ;text="Bad Identity Info"')
    for index, record in enumerate(load("stir-syntax/tn-canonical.json")["cases"]):
        write("sip_uri", f"number-{index}", record["uri"])
    uri = "sip:+12025550143;verstat=TN-Validation-Passed-A@host.example:5060;user=phone?a=b"
    write("sip_uri", "verstat", uri)
    write("sip_uri", "tel", "tel:+1-202-555-0143;verstat=No-TN-Validation;ext=5")
    write("sip_uri", "escaped", "sips:%2B12025550143:password@[2001:db8::1];user=phone")
    write("sip_date", "plain", "Fri, 25 Sep 2015 19:12:25 GMT")
    write("sip_date", "leap", "Thu, 29 Feb 2024 23:59:59 GMT")
    sdp = load("stir-rfc-passports/mky.json")["sdp"]
    write("sdp", "printed", "\r\n".join(sdp))
    write("sdp", "line", sdp[0])


def rich_data():
    card = load("stir-rcd/jcd-6.1.3.json")
    write("jcard", "printed", json.dumps(card["rcd"]["jcd"]))
    write("rcd", "jcd-printed", json.dumps({"rcd": card["rcd"]}))
    for index, record in enumerate(load("stir-rcd/claims-8.3.json")["claims"]):
        write("rcd", f"claims-{index}", json.dumps(record) + "\nfetched")
    for record in load("stir-constructed/passports.json"):
        if record["id"].startswith("rcd"):
            write("rcd", record["id"], unpadded(record["token"].split(".")[1]))


def state_records():
    for index, record in enumerate(load("records/sealed-records-v1.json")["records"]):
        sealed = record["sealed"]
        octets = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        write("state_record", str(index), octets)


def oblivious():
    """The example of RFC 9458 appendix A, and messages made with another implementation."""
    config = "01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003"
    write("gateway_keys", "rfc9458", bytes([0, 45]) + bytes.fromhex(config))
    write("encapsulated", "rfc9458-request", bytes.fromhex(
        "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472"
        "6374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525"))
    write("encapsulated", "rfc9458-answer", bytes.fromhex(
        "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd"))
    write("binary_http", "rfc9458-request", bytes.fromhex("00034745540568747470730b6578616d706c652e636f6d012f"))
    write("binary_http", "rfc9458-answer", bytes.fromhex("0140c8"))
    example = load("ohttp/ohttp-0.8.0.json")
    write("gateway_keys", "peer", bytes.fromhex(example["gateway"]["configs"]))
    for index, record in enumerate(example["requests"]):
        write("encapsulated", f"peer-{index}", bytes.fromhex(record["encapsulated"]))
        write("binary_http", f"peer-request-{index}", bytes.fromhex(record["binary"]))
    for index, record in enumerate(example["answers"]):
        write("binary_http", f"peer-answer-{index}", bytes.fromhex(record["binary"]))


def storage_tokens():
    example = load("rsabssa/project-storage-token-v1.json")
    octets = bytes.fromhex
    write("storage_token", "token", octets(example["token"]))
    write("storage_token", "challenge", octets(example["token_challenge"]))
    write("storage_token", "key", octets(example["issuer_spki_pss_der"]))
    for index, record in enumerate(load("rsabssa/rfc9578-token-type-0002.json")["vectors"][:2]):
        write("storage_token", f"request-{index}", octets(record["token_request"]))
        write("storage_token", f"token-{index}", octets(record["token"]))
    key = padded(octets(example["issuer_spki_pss_der"]))
    token = example["token_b64url"]
    ktemp = base64.urlsafe_b64encode(octets(example["ktemp_pk_compressed"])).decode().rstrip("=")
    signature = base64.urlsafe_b64encode(octets(example["store_sig_es256_raw"])).decode().rstrip("=")
    head = f'POST\nauthorization: PrivateToken token="{token}"\nstir-oob-key: {ktemp}\n'
    head += f"stir-oob-ctr: 0\nstir-oob-sig: {signature}\n"
    other = base64.urlsafe_b64encode(octets(record["token"])).decode()
    write("token_headers", "one", head + "\n")
    write("token_headers", "two", head + f"stir-oob-token: {other}.{ktemp}.1.{signature}\n\n")
    challenge = padded(octets(example["token_challenge"]))
    asked = f'PrivateToken challenge="{challenge}", token-key="{key}"'
    write("token_headers", "asked", f"401\nwww-authenticate: {asked}\n\n")
    problem = {"type": "urn:ringtrue:problem:over-limit", "title": "try again later", "status": 429, "tokens": 4}
    head = "429\ncontent-type: application/problem+json\nretry-after: 0\n\n"
    write("token_headers", "price", head + json.dumps(problem))
    keys = [{"token-type": 2, "token-key": key, "not-before": 1800000000}]
    others = keys + [{"token-type": 1, "token-key": "AA=="}]
    for name, listed in (("one", keys), ("others", others), ("none", [])):
        body = {"issuer-request-uri": "/token-request", "token-keys": listed}
        write("issuer_directory", name, json.dumps(body, separators=(",", ":")))
    statement = load("protocol/statements.json")["good"][0]["directory_form"]
    header = json.loads(unpadded(statement.split(".")[0]))
    header["typ"] = "stir-token-req+jwt"
    number = "12025550199"
    claims = {"iss": number, "sub": number, "aud": "issuer.example.com", "iat": 1800000000, "exp": 1800000060}
    empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    claims |= {"jti": "AAAAAAAAAAAAAAAAAAAAAA", "action": "token", "rqd": empty}
    for name, changes in (("good", {}), ("code", {"sub": "709J"}), ("late", {"exp": 1800000061})):
        parts = [header, claims | changes]
        texts = [json.dumps(part, separators=(",", ":"), sort_keys=True).encode() for part in parts]
        signed = ".".join(base64.urlsafe_b64encode(text).decode().rstrip("=") for text in texts)
        write("token_authorization", name, signed + "." + "A" * 42 + "E" + "A" * 42 + "Q")


def padded(octets):
    return base64.urlsafe_b64encode(octets).decode()


def unpem(path):
    lines = (VECTORS / path).read_text().splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("-----BEGIN "))
    end = next(index for index, line in enumerate(lines) if line.startswith("-----END "))
    return base64.b64decode("".join(lines[begin + 1 : end]))


def lists():
    write("crl", "indirect", unpem("stir-constructed/indirect-crl.pem"))
    write("crl", "pem", (VECTORS / "stir-constructed/indirect-crl.pem").read_text())
    write("certificate_request", "spc", unpem("stir-tnauthlist/csr-709J.pem"))
    printed = load("stir-jwt-claim-constraints/rfc9118-figure1.json")
    value = bytes.fromhex(printed["extension_der_hex"])
    for index, record in enumerate(printed["claim_cases"]):
        claims = json.dumps(record["claims"]).encode()
        write("constraints", f"printed-{index}", b"\x01" + sized(value) + claims)
    names = b"\x30\x08\xa0\x06\x30\x04\x16\x02hi"
    write("constraints", "names", b"\x00" + sized(names) + b'{"hi":1}')
    bundles = load("trust-bundle/bundles.json")
    for record in bundles["good"] + spread(bundles["bad"]):
        parts = record["text"].split(".")
        if len(parts) == 3:
            write("trust_bundle", record["label"].replace(" ", "-"), unpadded(parts[1]))
    for index, record in enumerate(load("sct/scts.json")["records"]):
        der = base64.b64decode(record["certificate"])
        at = der.find(bytes.fromhex("060a2b06010401d679020402"))
        if index < BAD_PER_TARGET and at >= 0:
            write("sct_list", f"extension-{index}", extension_value(der[at + 12 :]))


def local_clients():
    call = "0123456789abcdef" * 2
    for method, params in {
        "answer": {"call": call, "phase": "alerting", "deadline_ms": 900},
        "answered": {"call": call},
        "await": {"call": call, "confirmed": True, "deadline_ms": 30000},
        "ended": {"call": call},
        "place": {"from": "12025550143", "to": "12025550199", "want_answer": False, "keep": True,
                  "deadline_ms": 1500, "await_ms": 30000},
        "prefetch": {"numbers": ["12025550199", "+1 202 555 0143"], "span_s": 60},
        "publish": {"rotate": True, "deadline_ms": 10000},
        "readers": {"deadline_ms": 10000},
        "ring": {"from": None, "to": "12025550199", "keep": False, "deadline_ms": 2500},
        "shutdown": {},
        "status": {},
    }.items():
        request = {"v": 1, "id": method, "method": method, "params": params}
        write("daemon_request", method, json.dumps(request))
    write("daemon_request", "bare", '{"method":"status"}')
    head = "agi_network: yes\nagi_network_script: {}\nagi_callerid: 12025550143\n" \
        "agi_callingpres: 0\nagi_dnid: 12025550199\nagi_extension: 12025550199\n{}\n"
    for script, arguments in {
        "answer": ["call=" + call, "phase=alerting"],
        "answered": ["call=" + call],
        "await": ["call=" + call, "confirmed=1", "deadline_ms=900"],
        "ended": ["call=" + call],
        "place": ["from=12025550143", "to=12025550199", "keep=1"],
        "ring": ["key=a key of many words", "keep=0"],
    }.items():
        lines = "".join(f"agi_arg_{i}: {text}\n" for i, text in enumerate(arguments, 1))
        write("agi_request", script, head.format(script, lines))


def sized(octets):
    return len(octets).to_bytes(2, "big") + octets


def extension_value(octets):
    """The content of the OCTET STRING that the octets begin with."""
    assert octets[0] == 0x04
    if octets[1] < 0x80:
        return octets[2 : 2 + octets[1]]
    count = octets[1] & 0x7F
    length = int.from_bytes(octets[2 : 2 + count], "big")
    return octets[2 + count : 2 + count + length]


tokens()
certificates()
addresses()
sealed()
messages()
claims()
signalling()
rich_data()
lists()
state_records()
oblivious()
storage_tokens()
local_clients()
