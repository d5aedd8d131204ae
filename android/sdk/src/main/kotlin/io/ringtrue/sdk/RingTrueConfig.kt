package io.ringtrue.sdk

import io.ringtrue.Credential as GeneratedCredential
import io.ringtrue.EndpointConfig as GeneratedConfig
import io.ringtrue.HttpSettings as GeneratedHttp
import io.ringtrue.NumberContext as GeneratedContext
import io.ringtrue.ServiceRelay as GeneratedRelay
import io.ringtrue.TrustConfig as GeneratedTrust
import java.io.File
import kotlin.time.Duration

/**
 * What a client needs, apart from keys. What is left out has the library's default, which is what the
 * protocol recommends. Its text shows nothing of it.
 */
public data class RingTrueConfig(
    /** The own numbers, 1 to 32: all that are enrolled on this device, of all its SIM cards. */
    public val numbers: List<String>,
    /**
     * Base URLs of the own placement services, 1 to 4 in order of preference. The first is the key
     * directory as well, unless [directory] names another.
     */
    public val services: List<String>,
    /** STI trust anchors, each text PEM with one or more certificates. */
    public val anchorsPem: List<String>,
    /**
     * The file that keeps keys and what is known of others; in `Context.getNoBackupFilesDir()`. Left out only
     * where [RingTrue.open] is given a [StateStore].
     */
    public val stateFile: File? = null,
    /**
     * 32 octets that seal the state: `KeystoreKeys.stateKey()`. Without it the key is in a file beside the
     * state file; a [StateStore] needs it. With another key the client begins anew.
     */
    public val stateKey: ByteArray? = null,
    /**
     * The STIR credential. Without one the client can verify but neither place nor answer. One that was
     * installed later and lasts longer is used instead.
     */
    public val credential: Credential? = null,
    /** The base URL of the key directory. */
    public val directory: String? = null,
    /** The base URL of a second key directory, of another operator. Lookups compare the two. */
    public val mirrorDirectory: String? = null,
    /** Leaves every announcement at this service, instead of the one that the callee names. */
    public val placement: String? = null,
    /** The base URL of the relay. One of this and [allowDirect] is required. */
    public val relay: String? = null,
    /** Services that another relay reaches, or whose gateway the relay knows by another name than by the rule. */
    public val relays: List<ServiceRelay> = listOf(),
    /**
     * Whether services may be asked directly: they then see the address of the telephone together with the
     * numbers it asks for.
     */
    public val allowDirect: Boolean = false,
    /** How numbers are written here. Without it they must be global: nothing is guessed. */
    public val numberContext: NumberContext? = null,
    /** How the built-in HTTP client connects. */
    public val http: HttpSettings? = null,
    /** Where trust bundles come from, instead of anchors in the application. */
    public val trust: TrustConfig? = null,
    /** How trust bundles, revocation lists and, if the policy allows it, certificates are fetched. */
    public val fetchHttp: HttpSettings? = null,
    /** The issuer whose storage tokens the own services want, by the authority of its base URL. */
    public val tokenIssuer: String? = null,
    /** How many storage tokens are kept in stock for each issuer and service: 20 to 100, 40 by default. */
    public val tokenStock: Int? = null,
    /** Limits, times and suites. */
    public val policy: Policy? = null,
) {
    override fun toString(): String = "RingTrueConfig(..)"

    internal fun toGenerated(): GeneratedConfig = GeneratedConfig(
        numbers = numbers,
        services = services,
        anchorsPem = anchorsPem,
        stateFile = stateFile?.path,
        stateKey = stateKey,
        credential = credential?.let { GeneratedCredential(it.chainPem, it.x5u) },
        directory = directory,
        mirrorDirectory = mirrorDirectory,
        placement = placement,
        relay = relay,
        relays = relays.map { GeneratedRelay(it.service, it.relay, it.name) },
        allowDirect = allowDirect,
        numberContext = numberContext?.toGenerated(),
        http = http?.toGenerated(),
        trust = trust?.let { GeneratedTrust(it.bundleUrl, it.keysPem, it.shippedBundle) },
        fetchHttp = fetchHttp?.toGenerated(),
        tokenIssuer = tokenIssuer,
        tokenStock = tokenStock?.unsigned(),
        policy = policy?.toGenerated(),
    )
}

/** The relay of one service. */
public data class ServiceRelay(
    /** The base URL of the service. */
    public val service: String,
    /** The base URL of the relay that reaches it. */
    public val relay: String,
    /** The name by which that relay knows the service's gateway. */
    public val name: String,
)

/** The STIR credential. Its text shows nothing of it. */
public data class Credential(
    /** The certificate chain as PEM, signer first. */
    public val chainPem: String,
    /** The https URL where others find it. */
    public val x5u: String,
) {
    override fun toString(): String = "Credential(..)"
}

/** How numbers are written where the application is. The application states it; it is never guessed. */
public data class NumberContext(
    /** 1 to 3 digits: `1` or `44`. */
    public val countryCode: String,
    /** What precedes a national number: `0`, `1`, or empty where there is none. */
    public val trunkPrefix: String,
    /** What precedes a country code when dialling abroad: `00`, `011`. */
    public val internationalPrefix: String,
    /** The lengths, in digits, of national numbers that are written without the trunk prefix. */
    public val bareNationalLengths: List<Int> = listOf(),
) {
    internal fun toGenerated(): GeneratedContext = GeneratedContext(
        countryCode, trunkPrefix, internationalPrefix, bareNationalLengths.map { it.unsigned() },
    )
}

/** How the built-in HTTP client connects. */
public data class HttpSettings(
    /** Roots in addition to the web's, each text PEM with one or more certificates. */
    public val extraRootsPem: List<String> = listOf(),
    /** Whether the roots of the web, as built in, are trusted. They are unless this says no. */
    public val webRoots: Boolean? = null,
    /** Allows connections to the same machine. For tests. */
    public val allowLoopback: Boolean = false,
    /** Allows connections to private networks. For services inside one. */
    public val allowPrivate: Boolean = false,
    /** The longest time for one connection: name resolution, TCP and TLS. */
    public val connectTimeout: Duration? = null,
) {
    internal fun toGenerated(): GeneratedHttp =
        GeneratedHttp(extraRootsPem, webRoots, allowLoopback, allowPrivate, connectTimeout?.toMs())
}

/** Where trust bundles come from, and whose signature counts. */
public data class TrustConfig(
    /** The https URL of the bundle. */
    public val bundleUrl: String,
    /** 1 to 8 public keys, each text one PEM block `PUBLIC KEY`. */
    public val keysPem: List<String>,
    /** A bundle that comes with the application, for the time before the first one is fetched. */
    public val shippedBundle: String? = null,
)

/** Negative counts are no counts: the library refuses this one. */
internal fun Int.unsigned(): UInt = if (this < 0) UInt.MAX_VALUE else toUInt()

/** Whole milliseconds; a time that is over is zero. */
internal fun Duration.toMs(): ULong = inWholeMilliseconds.coerceAtLeast(0).toULong()
