package io.ringtrue.test

import io.ringtrue.Credential
import io.ringtrue.CredentialState
import io.ringtrue.Endpoint
import io.ringtrue.EndpointConfig
import io.ringtrue.Signer

/** The lines of bindings/README.md, so that they keep compiling. Nothing calls them. */
@Suppress("unused", "UNUSED_VARIABLE")
internal suspend fun example(stiRootsPem: String, chainPem: String, keyStoreKey: Signer) {
    val endpoint = Endpoint.open(EndpointConfig(
        numbers = listOf("+1 202 555 0143"), services = listOf("https://cps.example.com"),
        relay = "https://relay.example.net",
        anchorsPem = listOf(stiRootsPem), stateFile = "ringtrue.state",
        credential = Credential(chainPem, x5u = "https://certs.example.com/12025550143.pem"),
    ), signer = keyStoreKey)
    endpoint.publishKeys()
    val placed = endpoint.place(from = "+12025550143", to = "+12025550199", wantAnswer = true)
    val outgoing = endpoint.outgoing(placed.call)
    outgoing.answered()
    println(outgoing.changed()?.verdict?.verdict)
    outgoing.ended()
    val call = endpoint.ring(from = "+12025550177")
    println(call.verdict().verdict)
}

/** The lines about the own credential and trust. */
@Suppress("unused")
internal suspend fun credentialExample(endpoint: Endpoint, send: suspend (String) -> String) {
    if (endpoint.credentialStatus().state != CredentialState.VALID) {
        val chainPem = send(endpoint.certificateRequest())
        endpoint.installCertificate(chainPem, x5u = "https://certs.example.com/12025550143.pem")
        endpoint.publishKeys()
    }
    endpoint.updateTrust()
}
