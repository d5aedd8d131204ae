// How application and notification extension open the same endpoint: one state file, one set of keys, in what both may use.

import Foundation
import RingTrue

enum SharedEndpoint {
    /// The application group and the keychain group of this sample; entitlements of both targets.
    static let group = "group.io.ringtrue.sample"
    static let keychainGroup = "TEAMID.io.ringtrue.sample"

    /// What the operator hands out at enrolment. The number is the one in the certificate.
    static let number = "+1 202 555 0143"
    static let service = "https://cps.example.com"
    static let relay = "https://relay.example.net"

    static func open() async throws -> Endpoint {
        let files = FileManager.default
        guard let container = files.containerURL(forSecurityApplicationGroupIdentifier: group) else {
            throw CocoaError(.fileNoSuchFile)
        }
        var folder = container.appendingPathComponent("RingTrue", isDirectory: true)
        // A locked telephone must be able to read it; the library seals the content itself.
        try files.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        )
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)

        var config = EndpointConfig(
            numbers: [number],
            services: [service],
            anchorsPem: [try bundled("sti-roots")],
            stateFile: folder.appendingPathComponent("ringtrue.state").path
        )
        config.relay = relay
        config.stateKey = try KeychainStateKey.load(name: "state", accessGroup: keychainGroup)
        let (signer, _) = try deviceSigner(name: "credential", accessGroup: keychainGroup)
        return try await Endpoint.open(config, signer: signer)
    }

    private static func bundled(_ name: String) throws -> String {
        guard let url = Bundle.main.url(forResource: name, withExtension: "pem") else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try String(contentsOf: url, encoding: .utf8)
    }
}
