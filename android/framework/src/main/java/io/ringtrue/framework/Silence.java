package io.ringtrue.framework;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/** A server that takes connections and says nothing. */
public final class Silence implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    /** Opened when somebody has connected. */
    public final CountDownLatch connected = new CountDownLatch(1);

    /** Opened when the first who connected has gone. */
    public final CountDownLatch closed = new CountDownLatch(1);

    /** Listens. */
    public Silence() throws IOException {
        Thread thread = new Thread(this::serve, "silence");
        thread.setDaemon(true);
        thread.start();
    }

    /** Where it is. */
    public String baseUrl() {
        return "https://127.0.0.1:" + socket.getLocalPort();
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
                connected.countDown();
                while (connection.getInputStream().read() >= 0) {
                    // Says nothing.
                }
                closed.countDown();
            } catch (IOException gone) {
                if (connected.getCount() == 0) {
                    closed.countDown();
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
