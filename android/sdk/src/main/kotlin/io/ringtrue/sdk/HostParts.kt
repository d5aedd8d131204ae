package io.ringtrue.sdk

import io.ringtrue.Clock as GeneratedClock
import io.ringtrue.Delivered as GeneratedDelivered
import io.ringtrue.FetchException
import io.ringtrue.FetchKind as GeneratedKind
import io.ringtrue.FetchSource as GeneratedSource
import io.ringtrue.HttpHeader as GeneratedHeader
import io.ringtrue.HttpMethod
import io.ringtrue.HttpRequest as GeneratedRequest
import io.ringtrue.HttpResponse as GeneratedResponse
import io.ringtrue.Role as GeneratedRole
import io.ringtrue.Transport as GeneratedTransport
import io.ringtrue.TransportException
import java.io.FileNotFoundException
import java.io.IOException
import java.net.SocketTimeoutException
import javax.net.ssl.SSLException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Which conversation a connection serves. Connections of different roles share nothing. */
public enum class Role {
    /** Reading what is the same for everybody: a token issuer's or a gateway's keys. */
    CONFIGURATION,

    /** Getting storage tokens from their issuer. */
    ISSUE,

    /** Looking up keys. */
    LOOKUP,

    /** Publishing own keys. */
    PUBLISH,

    /** Fetching the own mailbox. */
    RETRIEVE,

    /** Leaving sealed PASSporTs. */
    STORE,
}

/** One header. Its text shows the name only. */
public data class HttpHeader(
    /** The name; in lower case in requests. */
    public val name: String,
    /** The value. */
    public val value: String,
) {
    override fun toString(): String = "HttpHeader($name)"
}

/** A request to send as it is. Its text shows neither URL nor body: both tell whom a call is for. */
public class HttpRequest internal constructor(
    /** `GET`, `POST` or `PUT`. */
    public val method: String,
    /** The absolute `https` URL. */
    public val url: String,
    /** The headers. */
    public val headers: List<HttpHeader>,
    /** The body; empty if there is none. */
    public val body: ByteArray,
) {
    override fun toString(): String = "HttpRequest(${body.size} octets)"
}

/** An answer as it was received. Its text shows status and size only. */
public class HttpResponse(
    /** The status code. */
    public val status: Int,
    /** The headers. */
    public val headers: List<HttpHeader>,
    /** The body; empty if there is none. */
    public val body: ByteArray,
) {
    override fun toString(): String = "HttpResponse($status, ${body.size} octets)"
}

/** Why a [Transport] has no answer, where a mere [IOException] would say too little. */
public sealed class TransportFault : IOException() {
    /** The host is at an address that is not a public one. */
    public class AddressNotAllowed : TransportFault()

    /** The body is longer than asked for. */
    public class AnswerTooLarge : TransportFault()

    /** The service redirects, which is not followed. */
    public class Redirected : TransportFault()
}

/**
 * HTTP of the application's own, instead of the built-in client.
 *
 * Called on a thread of the library that may block. An implementation uses TLS 1.3, follows no redirects,
 * keeps no cookies, asks for no compression, adds no header that tells one device from another, and shares
 * neither connections nor TLS sessions between roles. It also answers for the address rule: addresses that
 * come from other parties must be public.
 */
public fun interface Transport {
    /**
     * Sends [request] and reads at most [maxAnswerOctets] of body, within [timeLeft].
     *
     * Throws [SocketTimeoutException] when the time was up, [SSLException] when TLS was not accepted, a
     * [TransportFault]; anything else means that there is no connection.
     */
    public fun execute(role: Role, request: HttpRequest, maxAnswerOctets: Long, timeLeft: Duration): HttpResponse
}

/**
 * The calendar time, where the application knows better than the operating system.
 *
 * Called on a thread of the library, often: it returns at once.
 */
public fun interface Clock {
    /** Milliseconds since the Unix epoch, UTC; nothing if the time is not known. Throwing means the same. */
    public fun nowUnixMs(): Long?
}

/** A kind of content behind a URL. */
public enum class FetchKind {
    /** The certificates of a signer: PEM, or DER of one certificate. */
    CERTIFICATE_PATH,

    /** A certificate revocation list. */
    CRL,

    /** Anything else, of a later version. */
    OTHER,

    /** An operator's trust bundle. */
    TRUST_BUNDLE,
}

/** What was got. Its text shows the size only. */
public class Delivered(
    /** The content. */
    public val octets: ByteArray,
    /** How long it may be kept in memory, if that is known. */
    public val keep: Duration? = null,
) {
    override fun toString(): String = "Delivered(${octets.size} octets)"
}

/**
 * Gets what a URL refers to in the place of the network: an operator's proxy, or a store that the
 * application fills ahead of calls. Called on a thread of the library that may block.
 */
public fun interface FetchSource {
    /**
     * Gets what is behind [url] within [timeLeft].
     *
     * Throws [FileNotFoundException] if there is nothing, [SocketTimeoutException] when the time was up;
     * anything else means that there is no connection.
     */
    public fun get(kind: FetchKind, url: String, timeLeft: Duration): Delivered
}

internal class HostTransport(private val transport: Transport) : GeneratedTransport {
    override fun execute(
        role: GeneratedRole,
        request: GeneratedRequest,
        maxAnswerOctets: ULong,
        timeLeftMs: ULong,
    ): GeneratedResponse = try {
        val response = transport.execute(role.toSdk(), request.toSdk(), maxAnswerOctets.signed(), timeLeftMs.duration())
        val headers = response.headers.map { GeneratedHeader(it.name, it.value) }
        GeneratedResponse(response.status.unsigned(), headers, response.body)
    } catch (_: SocketTimeoutException) {
        throw TransportException.DeadlinePassed()
    } catch (_: SSLException) {
        throw TransportException.TlsFailed()
    } catch (fault: TransportFault) {
        throw when (fault) {
            is TransportFault.AddressNotAllowed -> TransportException.AddressNotAllowed()
            is TransportFault.AnswerTooLarge -> TransportException.AnswerTooLarge()
            is TransportFault.Redirected -> TransportException.Redirected()
        }
    } catch (_: Throwable) {
        throw TransportException.Unreachable()
    }
}

internal class HostClock(private val clock: Clock) : GeneratedClock {
    override fun nowUnixMs(): ULong? = try {
        clock.nowUnixMs()?.takeIf { it >= 0 }?.toULong()
    } catch (_: Throwable) {
        null
    }
}

internal class HostFetchSource(private val source: FetchSource) : GeneratedSource {
    override fun get(kind: GeneratedKind, url: String, timeLeftMs: ULong): GeneratedDelivered = try {
        val delivered = source.get(kind.toSdk(), url, timeLeftMs.duration())
        GeneratedDelivered(delivered.octets, delivered.keep?.toMs())
    } catch (_: FileNotFoundException) {
        throw FetchException.NotFound()
    } catch (_: SocketTimeoutException) {
        throw FetchException.DeadlinePassed()
    } catch (_: Throwable) {
        throw FetchException.Unreachable()
    }
}

/** Counts and times beyond all reason are as much as there can be. */
internal fun ULong.signed(): Long = if (this > Long.MAX_VALUE.toULong()) Long.MAX_VALUE else toLong()

private fun ULong.duration(): Duration = signed().milliseconds

private fun GeneratedRole.toSdk(): Role = when (this) {
    GeneratedRole.CONFIGURATION -> Role.CONFIGURATION
    GeneratedRole.ISSUE -> Role.ISSUE
    GeneratedRole.LOOKUP -> Role.LOOKUP
    GeneratedRole.PUBLISH -> Role.PUBLISH
    GeneratedRole.RETRIEVE -> Role.RETRIEVE
    GeneratedRole.STORE -> Role.STORE
}

private fun GeneratedRequest.toSdk(): HttpRequest = HttpRequest(
    method = when (method) {
        HttpMethod.GET -> "GET"
        HttpMethod.POST -> "POST"
        HttpMethod.PUT -> "PUT"
    },
    url = url,
    headers = headers.map { HttpHeader(it.name, it.value) },
    body = body,
)

private fun GeneratedKind.toSdk(): FetchKind = when (this) {
    GeneratedKind.CERTIFICATE_PATH -> FetchKind.CERTIFICATE_PATH
    GeneratedKind.CRL -> FetchKind.CRL
    GeneratedKind.OTHER -> FetchKind.OTHER
    GeneratedKind.TRUST_BUNDLE -> FetchKind.TRUST_BUNDLE
}
