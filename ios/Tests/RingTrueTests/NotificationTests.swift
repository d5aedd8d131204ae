// The notification extension's work: good, bad, late and oversized pushes, and what is said of each.

import Foundation
import RingTrue
import RingTrueNotification
import Testing

@Suite struct NotificationTests {
    private let lab = Lab.shared

    /// A payload as the push service delivers it.
    private func payload(_ members: String) -> Data {
        Data(#"{"aps":{"alert":{"title":"A call"},"mutable-content":1},"ringtrue":{\#(members)}}"#.utf8)
    }

    private func now() -> Int { Int(Date().timeIntervalSince1970) }

    /// A check for a telephone that has published its keys, and its number.
    private func telephone() async throws -> (AnnouncementCheck, String) {
        let number = lab.number()
        let config = try lab.config(number)
        let signer = try lab.signer(number)
        let endpoint = try await Endpoint.open(config, signer: signer)
        try await endpoint.publishKeys()
        await endpoint.shutDown()
        return (AnnouncementCheck { try await Endpoint.open(config, signer: signer) }, number)
    }

    /// Announces a call and gives the calling number.
    private func announce(to number: String) async throws -> String {
        let caller = try await lab.endpoint(lab.number())
        let orig = try #require(caller.numbers.first)
        #expect(try await caller.place(from: orig, to: number).placement == .stored)
        await caller.shutDown()
        return orig
    }

    @Test func anAnnouncementIsVerifiedOnceAndThenRepeated() async throws {
        let (check, number) = try await telephone()
        let orig = try await announce(to: number)
        let push = payload(#""v":1,"at":\#(now()),"from":"+\#(orig)","to":"\#(number)""#)
        guard case .verified(let from, let checked) = await check.check(payload: push) else {
            Issue.record("not verified")
            return
        }
        #expect(from == orig)
        #expect(abs(checked.timeIntervalSinceNow) < 60)
        #expect(await check.check(payload: push) == .repeated)
    }

    @Test func aPushThatNamesNobodyAsksNobody() async throws {
        let opened = Counter()
        let check = AnnouncementCheck {
            opened.next()
            throw CancellationError()
        }
        #expect(await check.check(payload: payload(#""v":1,"at":\#(now())"#)) == .unchecked)
        #expect(opened.current == 0)
    }

    @Test func aNumberThatAnnouncedNothingIsNotVerified() async throws {
        let (check, number) = try await telephone()
        let orig = try await announce(to: number)
        let impostor = lab.number()
        let finding = await check.check(payload: payload(#""v":1,"at":\#(now()),"from":"\#(impostor)""#))
        // There is an announcement, but of somebody else, who must not be named for it.
        guard case .unnamed = finding else {
            Issue.record("\(finding)")
            return
        }
        let text = EnglishWording().text(for: finding)
        #expect(!text.title.contains(orig) && !text.body.contains(orig) && !text.body.contains(impostor))
    }

    @Test func withoutAnAnnouncementNothingIsClaimed() async throws {
        let (check, _) = try await telephone()
        let announcement = try Announcement(
            payload: payload(#""v":1,"at":\#(now()),"from":"\#(lab.number())""#))
        #expect(await check.check(announcement, within: .seconds(2)) == .nothing)
    }

    @Test(arguments: [-61, -3_600, 120])
    func aPushAtTheWrongTimeAsksNobody(_ seconds: Int) async throws {
        let opened = Counter()
        let check = AnnouncementCheck {
            opened.next()
            throw CancellationError()
        }
        let push = payload(#""v":1,"at":\#(now() + seconds),"from":"12025550143""#)
        #expect(await check.check(payload: push) == .late)
        #expect(opened.current == 0)
    }

    @Test func whatIsTooLargeIsNotRead() throws {
        let exactly = { (octets: Int) -> Data in
            let frame = self.payload(#""v":1,"at":1,"x":"""#)
            return self.payload(#""v":1,"at":1,"x":"\#(String(repeating: "x", count: octets - frame.count))""#)
        }
        #expect(exactly(4_096).count == 4_096)
        #expect(try Announcement(payload: exactly(4_096)).from == nil)
        #expect(throws: Announcement.Fault.tooLarge) { try Announcement(payload: exactly(4_097)) }
        #expect(throws: Announcement.Fault.tooLarge) {
            try Announcement(payload: Data(repeating: 0x20, count: 10_000_000))
        }
    }

    @Test(arguments: [
        "", "null", "[]", "7", "{}", "{", #"{"ringtrue":null}"#, #"{"ringtrue":[]}"#, #"{"ringtrue":"v1"}"#,
        #"{"aps":{"alert":"x"}}"#,
    ])
    func whatIsNoAnnouncementIsMalformed(_ text: String) async {
        #expect(throws: Announcement.Fault.malformed) { try Announcement(payload: Data(text.utf8)) }
        let check = AnnouncementCheck { throw CancellationError() }
        #expect(await check.check(payload: Data(text.utf8)) == .unreadable)
    }

    @Test(arguments: [
        #""at":1"#, #""v":"1","at":1"#, #""v":1"#, #""v":1,"at":"1""#, #""v":1,"at":1.5"#, #""v":1,"at":-1"#,
        #""v":1,"at":99999999999999"#, #""v":1,"at":1e300"#, #""v":1,"at":1,"from":12025550143"#,
        #""v":1,"at":1,"from":"""#, #""v":1,"at":1,"from":"bob""#, #""v":1,"at":1,"from":"١٢٠٢٥٥٥٠١٤٣""#,
        #""v":1,"at":1,"from":null"#, #""v":1,"at":1,"to":{}"#,
        #""v":1,"at":1,"to":"1202555014312025550143120255501431""#,
    ])
    func aMemberThatIsWrongIsRefused(_ members: String) {
        #expect(throws: Announcement.Fault.memberInvalid) { try Announcement(payload: payload(members)) }
    }

    @Test func anotherVersionIsRefused() {
        #expect(throws: Announcement.Fault.versionUnknown) {
            try Announcement(payload: payload(#""v":2,"at":1"#))
        }
    }

    @Test func userInfoIsReadAsThePayload() throws {
        let info: [AnyHashable: Any] = ["ringtrue": ["v": 1, "at": 1_800_000_000, "from": "12025550143"]]
        let announcement = try Announcement(userInfo: info)
        #expect(announcement.from == "12025550143")
        #expect(announcement.announced == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(throws: Announcement.Fault.malformed) { try Announcement(userInfo: ["ringtrue": Date()]) }
        #expect(throws: Announcement.Fault.malformed) { try Announcement(userInfo: [:]) }
    }

    @Test func anEndpointThatCannotBeOpenedIsNoVerdict() async {
        let check = AnnouncementCheck { throw CancellationError() }
        #expect(await check.check(payload: payload(#""v":1,"at":\#(now()),"from":"12025550143""#)) == .unchecked)
    }

    @Test func anEndpointThatHangsDoesNotKeepTheNotification() async throws {
        let release = Event()
        let check = AnnouncementCheck {
            await release.wait()
            throw CancellationError()
        }
        let announcement = try Announcement(
            payload: payload(#""v":1,"at":\#(now()),"from":"12025550143""#))
        #expect(await check.check(announcement, within: .milliseconds(100)) == .unchecked)
        release.happen()
    }

    @Test func whatComesFirstIsShownAndNothingElse() async {
        for expires in [true, false] {
            let shown = Record<AnnouncementText>()
            let once = Event()
            let release = Event()
            let ended = Event()
            let delivery = AnnouncementDelivery(wording: EnglishWording()) {
                shown.append($0)
                once.happen()
            }
            delivery.begin {
                if expires { await release.wait() }
                ended.happen()
                return .late
            }
            if expires { delivery.expire() }
            await once.wait()
            release.happen()
            await ended.wait()
            delivery.expire()
            delivery.begin { .nothing }
            #expect(shown.all == [EnglishWording().text(for: expires ? .unchecked : .late)])
        }
    }

    @Test func theSystemsDeadlineCancelsTheCheck() async {
        let begun = Event()
        let cancelled = Event()
        let delivery = AnnouncementDelivery(wording: EnglishWording()) { _ in }
        delivery.begin {
            begun.happen()
            // Ends when it is cancelled, and not otherwise.
            for await _ in AsyncStream(Void.self, { _ in }) {}
            if Task.isCancelled { cancelled.happen() }
            return .unchecked
        }
        await begun.wait()
        delivery.expire()
        await cancelled.wait()
    }

    @Test func onlyAVerifiedAnnouncementNamesANumber() throws {
        let time = Date(timeIntervalSince1970: 1_800_000_000)
        let wording = EnglishWording(timeZone: try #require(TimeZone(identifier: "UTC"))) {
            $0 == "12025550143" ? "Ann" : nil
        }
        let good = wording.text(for: .verified(from: "12025550143", checked: time))
        #expect(good.title == "Call announced by Ann (+12025550143)")
        #expect(good.body == "Checked at 08:00. If another call rings now, this does not speak for it.")
        #expect(wording.text(for: .verified(from: "12025550177", checked: time)).title.hasSuffix("+12025550177"))
        let others: [Finding] = [
            .unnamed(checked: time), .repeated, .refused, .nothing, .late, .unchecked, .unreadable,
        ]
        for finding in others {
            let text = wording.text(for: finding)
            #expect(!(text.title + text.body).contains("1202"), "\(finding)")
            #expect(!(text.title + text.body).lowercased().replacing("not verified", with: "").contains("verified"))
            #expect(!String(reflecting: text).contains(text.title))
        }
        #expect("\(Finding.verified(from: "12025550143", checked: time))" == "verified")
    }
}
