"""What a ringing endpoint must refuse, and what it must not stumble over, with the verdicts.

Each case lists the verdicts and reasons that the specification allows; where it leaves two readings
open, both are listed.
"""

from collections.abc import Callable

from peer import content, jws, tnauthlist
from peer.encoding import b64u

from . import forged
from .arena import Arena
from .forged import Call
from .harness import Harness

GOOD = {"verified", "confirmed"}
NOTHING = {"no_record"}
REFUSED = {"refused"}
CASES_PER_VICTIM = 8  # keeps a victim's mailbox far from the limits of W-22

REFUSALS = (
    ("ciphertext flipped", forged.flipped_ciphertext, NOTHING, set()),
    ("key share invalid", forged.invalid_share, NOTHING, set()),
    ("blob bound to another number", forged.bound_to_another_number, NOTHING, set()),
    ("blob without info", forged.without_info, NOTHING, set()),
    ("filler not zero", forged.filler_not_zero, NOTHING, set()),
    ("content length beyond the blob", forged.length_beyond_blob, NOTHING, set()),
    ("content not JSON", forged.not_json, NOTHING, set()),
    ("content version 2", forged.content_version, NOTHING, set()),
    ("call nonce of 8 octets", forged.short_nonce, NOTHING, set()),
    ("alg ES384", forged.wrong_algorithm, REFUSED, {"algorithm_not_allowed"}),
    ("alg none", forged.no_algorithm, REFUSED, {"algorithm_not_allowed"}),
    ("typ of a key statement", forged.wrong_type, REFUSED, {"type_mismatch"}),
    ("no x5u", forged.no_x5u, REFUSED, {"x5u_missing"}),
    ("iat quoted", forged.quoted_iat, REFUSED, {"iat_not_number"}),
    ("iat with a fraction", forged.fractional_iat, REFUSED, {"iat_not_number"}),
    ("no dest", forged.no_dest, REFUSED, {"dest_missing"}),
    ("dest.tn not an array", forged.bare_dest, REFUSED, {"malformed_dest"}),
    ("white space in the payload", forged.white_space, REFUSED, {"not_canonical"}),
    ("members out of order", forged.member_order, REFUSED, {"not_canonical"}),
    (
        "repeated member", forged.repeated_member, REFUSED | NOTHING,
        {"duplicate_member", "malformed_token"},
    ),
    (
        "signature as DER", forged.der_signature, REFUSED | NOTHING,
        {"malformed_signature", "malformed_token"},
    ),
    ("not a token", forged.not_a_token, NOTHING, {"malformed_token"}),
    ("shaken without attest", forged.shaken_without_attest, REFUSED, {"attest_not_allowed"}),
    ("signature damaged", forged.damaged_signature, REFUSED, {"signature_invalid"}),
    ("claims changed after signing", forged.another_payload, REFUSED, {"signature_invalid"}),
    (
        "certificate for another number", forged.somebody_elses_number, REFUSED,
        {"number_not_covered"},
    ),
    (
        "path to an unknown root", forged.own_authority, REFUSED,
        {"chain_incomplete", "no_path_to_anchor"},
    ),
    (
        "self-signed CA certificate", forged.self_signed, REFUSED,
        {"signer_is_ca", "signature_invalid", "no_path_to_anchor", "credential_unavailable"},
    ),
    ("CA's name without its key", forged.same_name_as_authority, REFUSED, {"no_path_to_anchor"}),
    ("certificate expired", forged.expired, REFUSED, {"certificate_expired"}),
    ("certificate not yet valid", forged.not_yet_valid, REFUSED, {"certificate_not_yet_valid"}),
    (
        "certificate younger than iat", forged.valid_after_iat, REFUSED,
        {"iat_outside_certificate"},
    ),
    (
        "number outside the issuer's scope", forged.outside_its_issuer, REFUSED,
        {"scope_not_encompassed"},
    ),
    ("no TNAuthList", forged.no_list, REFUSED, {"tn_auth_list_missing", "number_not_covered"}),
    ("TNAuthList malformed", forged.malformed_list, REFUSED, {"malformed_tn_auth_list"}),
    (
        "authority by service provider code", forged.code_only, REFUSED,
        {"authority_by_spc", "encompass_unknown", "scope_not_encompassed"},
    ),
    (
        "unknown critical extension", forged.critical_extension, REFUSED,
        {"unsupported_critical_extension"},
    ),
    (
        "signed by the CA itself", forged.authority_as_signer, REFUSED,
        {"signer_is_ca", "signature_invalid", "credential_unavailable"},
    ),
    (
        "issued by an end-entity certificate", forged.leaf_as_issuer, REFUSED,
        {"issuer_not_ca", "no_path_to_anchor"},
    ),
    ("no certificates", forged.no_certificates, REFUSED, {"credential_unavailable"}),
    (
        "nine certificates", forged.nine_certificates, REFUSED | NOTHING,
        {"too_many_certificates", "malformed_content"},
    ),
    ("intermediate missing", forged.issuer_missing, REFUSED, {"chain_incomplete"}),
    ("iat 65 s back", forged.stale, REFUSED, {"iat_stale"}),
    ("iat two hours back", forged.stale_by_days, REFUSED, {"iat_stale"}),
    ("iat 30 s ahead", forged.in_future, REFUSED, {"iat_in_future"}),
    ("dest is another number", forged.wrong_dest, REFUSED, {"dest_mismatch"}),
    ("announcement of another caller", forged.another_caller, NOTHING, set()),
    ("an rsp instead of an announcement", forged.an_answer, NOTHING, {"unexpected_rsp"}),
    ("unsupported ppt", forged.unsupported_type, NOTHING, {"ppt_unsupported"}),
)  # fmt: skip


# What has to pass


def almost_stale(call: Call) -> None:
    call.placement.payload["iat"] -= 52


def slightly_ahead(call: Call) -> None:
    call.placement.payload["iat"] += 6


def shaken(call: Call) -> None:
    call.placement.header["ppt"] = "shaken"
    call.placement.payload |= {"attest": "A", "origid": "123e4567-e89b-12d3-a456-426655440000"}


def unknown_claim(call: Call) -> None:
    call.placement.payload["x-example"] = {"é": [1, True, None]}


def header_certificates(call: Call) -> None:
    call.placement.header["x5c"] = call.placement.members.pop("x5c")


def several_destinations(call: Call) -> None:
    others = [call.arena.number(), call.victim]
    call.placement.payload["dest"] = {"tn": sorted(others), "uri": ["sip:alice@example.com"]}


def one_good_of_two(call: Call) -> None:
    good = call.placement.token()
    forged.damaged_signature(call)
    call.placement.tokens = [*call.placement.tokens, good]


def unknown_members(call: Call) -> None:
    call.placement.members |= {"later": {"a": [1, 2, 3]}, "x": "y"}


def large_class(call: Call) -> None:
    call.placement.options["size_class"] = 2
    call.placement.members["later"] = "x" * 8000


def other_bag_order(call: Call) -> None:
    """The bag is a bag: the signer is found by its key."""
    other = call.arena.lab.credential(call.arena.number())
    chain = call.caller.credential.chain
    call.signed_by(call.caller.credential, [other.chain[0], *reversed(chain)])
    call.placement.options["size_class"] = 2


def high_s(call: Call) -> None:
    """Whichever of the two signatures is the high one, it is one of these."""
    token = call.placement.token()
    call.placement.tokens = [jws.mirrored(token), token]


def range_certificate(call: Call) -> None:
    block = call.caller.number[:-2] + "00"
    forged.issued(call, numbers=[tnauthlist.Entry("range", block, 100)])


def another_service_named(call: Call) -> None:
    call.placement.members["cps"] = "cps.example.com"


def unknown_statement(call: Call) -> None:
    call.placement.members["ksd"] = b64u(bytes(32))


ACCEPTED = (
    ("iat 52 s back", almost_stale, set()),
    ("iat 6 s ahead", slightly_ahead, set()),
    ("shaken", shaken, set()),
    ("unknown claim", unknown_claim, set()),
    ("certificates in the header", header_certificates, set()),
    ("several destinations", several_destinations, set()),
    ("one good token of two", one_good_of_two, {"signature_invalid"}),
    ("unknown content members", unknown_members, set()),
    ("a blob of 16384 octets", large_class, set()),
    ("certificates in another order", other_bag_order, set()),
    ("both signatures of one token", high_s, set()),
    ("certificate for a block of numbers", range_certificate, set()),
    ("content names another service", another_service_named, {"cps_mismatch"}),
    ("content names an unknown statement", unknown_statement, {"ksd_unknown"}),
)


def one_call(
    arena: Arena, victim: str, change: Callable, verdicts: set[str], reasons: set[str]
) -> None:
    call = Call(arena, arena.endpoint(), victim)
    change(call)
    call.store()
    verdict = arena.ring(call.number, victim)
    verdict.expect(verdicts, reasons)


# Replays: the same PASSporT, once more


def replay(arena: Arena, again: Callable[[Call], None]) -> None:
    call = Call(arena, arena.endpoint(), arena.published())
    call.placement.tokens = [call.placement.token()]
    call.store()
    arena.ring(call.caller.number, call.victim).expect(GOOD)
    again(call)
    verdict = arena.ring(call.caller.number, call.victim)
    verdict.expect(REFUSED, {"replayed"})


def _another_nonce(call: Call) -> None:
    call.placement.members["nonce"] = content.new_nonce()
    call.store()


def _other_signature(call: Call) -> None:
    call.placement.tokens = [jws.mirrored(call.placement.tokens[0])]
    call.store()


def next_call(arena: Arena) -> None:
    """A used PASSporT is no reason to refuse the next, honest call."""
    call = Call(arena, arena.endpoint(), arena.published())
    call.store()
    arena.ring(call.caller.number, call.victim).expect(GOOD)
    call.placement.payload["iat"] += 1
    call.placement.members["nonce"] = content.new_nonce()
    call.store()
    arena.ring(call.caller.number, call.victim).expect(GOOD)


REPLAYS = (
    ("the same blob", lambda call: None),
    ("stored again", Call.store),
    ("under another call nonce", _another_nonce),
    ("with its other signature", _other_signature),
)


# State reports


def caller_gone(arena: Arena) -> None:
    caller = arena.endpoint()
    placement = caller.place(arena.published(), ask_answer=False)
    placement.store()
    placement.report_state("gone")
    verdict = arena.ring(caller.number, placement.to)
    verdict.expect({"conflicting"}, {"caller_gone"})


def gone_for_another_call(arena: Arena) -> None:
    """Whoever does not know the nonce cannot end a call."""
    caller = arena.endpoint()
    placement = caller.place(arena.published(), ask_answer=False)
    placement.store()
    other = caller.place(placement.to, ask_answer=False)
    other.report_state("gone")
    arena.ring(caller.number, placement.to).expect(GOOD)


def run(harness: Harness, arena: Arena) -> None:
    victims: dict[int, str] = {}

    def victim(position: int) -> str:
        group = position // CASES_PER_VICTIM
        if group not in victims:
            victims[group] = arena.published()
        return victims[group]

    def with_victim(position: int, *arguments) -> None:
        one_call(arena, victim(position), *arguments)

    for position, (name, change, verdicts, reasons) in enumerate(REFUSALS):
        harness.case(f"refused: {name}", with_victim, position, change, verdicts, reasons)
    for position, (name, change, reasons) in enumerate(ACCEPTED, len(REFUSALS)):
        harness.case(f"accepted: {name}", with_victim, position, change, GOOD, reasons)
    for name, again in REPLAYS:
        harness.case(f"replayed: {name}", replay, arena, again)
    harness.case("replayed: not the next call", next_call, arena)
    harness.case("state: caller gone", caller_gone, arena)
    harness.case("state: gone for another call", gone_for_another_call, arena)
