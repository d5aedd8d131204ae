// A server that takes connections and says nothing, or hangs up.

import Foundation
import Glibc

final class Silence: @unchecked Sendable {
    /// Where it is.
    let baseUrl: String
    /// A connection was made.
    let connected = Event()
    /// The first connection was closed by its client.
    let ended = Event()
    private let listener: Int32

    /// `hangsUp`: as soon as something was said to it.
    init(hangsUp: Bool = false) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard listener >= 0, bound else { throw CocoaError(.featureUnsupported) }
        baseUrl = "https://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread { [connected, ended] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                connected.happen()
                var octets = [UInt8](repeating: 0, count: 4_096)
                while read(connection, &octets, octets.count) > 0, !hangsUp {}
                close(connection)
                ended.happen()
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
