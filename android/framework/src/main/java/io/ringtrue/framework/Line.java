package io.ringtrue.framework;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * The network between a telephone and the laboratory's service. It can be lost in the middle: TLS stands, a
 * request is sent, and then the connection ends without a word.
 */
public final class Line implements AutoCloseable {
    /** When the connection is lost. */
    public enum Loss {
        /** Not at all: the service is asked and answers. */
        NONE,

        /** When the request was sent: the service never sees it. */
        AFTER_REQUEST,

        /** Before the last octet of the answer's first part: the service has done what was asked. */
        WITHIN_ANSWER,
    }

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger lost = new AtomicInteger();
    private final SSLContext tls;
    private final URI service;
    private volatile Loss loss = Loss.NONE;

    /** Listens, with the certificate of the laboratory's service. */
    public Line(Lab lab) throws IOException {
        service = URI.create(lab.baseUrl());
        try {
            tls = context(lab);
        } catch (GeneralSecurityException fault) {
            throw new IllegalStateException(fault);
        }
        start("line", () -> {
            while (!listening.isClosed()) {
                Socket phone = listening.accept();
                start("line-requests", () -> connect(phone));
            }
        });
    }

    /** Where the service is, by this line. */
    public String baseUrl() {
        return "https://localhost:" + listening.getLocalPort();
    }

    /** From now on connections are lost like this, those that stand too. */
    public void lose(Loss how) {
        loss = how;
    }

    /** How many connections were lost. */
    public int lost() {
        return lost.get();
    }

    private void connect(Socket plain) throws IOException {
        try (plain; Socket other = tls.getSocketFactory().createSocket(service.getHost(), service.getPort())) {
            SSLSocket phone = (SSLSocket) tls.getSocketFactory().createSocket(plain, null, plain.getPort(), true);
            phone.setUseClientMode(false);
            phone.startHandshake();
            start("line-answers", () -> {
                try (plain; other) {
                    pass(other.getInputStream(), phone.getOutputStream(), Loss.WITHIN_ANSWER);
                }
            });
            pass(phone.getInputStream(), other.getOutputStream(), Loss.AFTER_REQUEST);
        }
    }

    /** Until one side ends or the connection is lost. Then both sockets are closed, without TLS's farewell. */
    private void pass(InputStream from, OutputStream to, Loss here) throws IOException {
        byte[] octets = new byte[65536];
        for (int length = from.read(octets); length >= 0; length = from.read(octets)) {
            if (loss == here) {
                lost.incrementAndGet();
                if (here == Loss.WITHIN_ANSWER) {
                    to.write(octets, 0, length - 1);
                    to.flush();
                }
                return;
            }
            to.write(octets, 0, length);
            to.flush();
        }
    }

    private static SSLContext context(Lab lab) throws IOException, GeneralSecurityException {
        Certificate[] chain = certificates(lab.read("tls.pem"));
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("service", key(lab.read("tls.key")), new char[0], chain);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, null);
        roots.setCertificateEntry("root", certificates(lab.read("tls-root.pem"))[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static Certificate[] certificates(String pem) throws GeneralSecurityException {
        InputStream octets = new ByteArrayInputStream(pem.getBytes());
        return CertificateFactory.getInstance("X.509").generateCertificates(octets).toArray(Certificate[]::new);
    }

    private static PrivateKey key(String pem) throws GeneralSecurityException {
        byte[] octets = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        return KeyFactory.getInstance("EC", "SunEC").generatePrivate(new PKCS8EncodedKeySpec(octets));
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(String name, Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException gone) {
                // One side has gone, as networks go.
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }
}
