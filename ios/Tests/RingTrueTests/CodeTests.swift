// The constants of codes against the registry that the library holds.

import RingTrue
import enum RingTrueFFI.RingTrueError
import enum RingTrueFFI.Verdict
import Testing

@Suite struct CodeTests {
    @Test func everyConstantIsTheNumberOfItsReason() {
        let constants: [(Reason.Code, String)] = [
            (.malformedNumber, "malformed_number"), (.replayed, "replayed"),
            (.deadlinePassed, "deadline_passed"), (.signerFailed, "signer_failed"),
            (.keyAgreementFailed, "key_agreement_failed"), (.cancelled, "cancelled"),
            (.numberNotOwned, "number_not_owned"), (.configurationInvalid, "configuration_invalid"),
            (.notVerified, "not_verified"), (.internalDefect, "internal"),
            (.callerWithheld, "caller_withheld"), (.clockUnset, "clock_unset"),
        ]
        for (code, name) in constants {
            let registered = RingTrueFFI.RingTrueError.Misuse(code: UInt32(code.rawValue), name: "").reason()
            #expect(registered.name == name)
            #expect(registered.code == UInt32(code.rawValue))
        }
    }

    @Test func whatIsAGoodVerdictIsWhatTheLibrarySays() {
        let verdicts: [(RingTrue.Verdict, RingTrueFFI.Verdict)] = [
            (.clockUnset, .clockUnset), (.confirmed, .confirmed), (.conflicting, .conflicting), (.noRecord, .noRecord),
            (.refused, .refused), (.unavailable, .unavailable), (.verified, .verified),
        ]
        #expect(Set(verdicts.map(\.0)) == Set(RingTrue.Verdict.allCases))
        for (shown, library) in verdicts { #expect(shown.isGood == library.isGood()) }
    }
}
