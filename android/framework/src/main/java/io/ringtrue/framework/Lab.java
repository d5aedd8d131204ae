package io.ringtrue.framework;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A laboratory for tests: credentials of test numbers, and the real service as a process. */
public final class Lab implements AutoCloseable {
    private static final String COMMAND = command();
    private static final Pattern SERVING = Pattern.compile("serving (https://\\S+)");
    private static final Pattern X5U = Pattern.compile("x5u_base = \"(.*)\"");

    private final Path folder;
    private final ArrayDeque<String> unused = new ArrayDeque<>();
    private final String x5uBase;
    private Process service;
    private String baseUrl;
    private int files;

    /** Makes it and starts the service. */
    public Lab() {
        try {
            folder = Files.createTempDirectory("ringtrue-");
            List<String> init = new ArrayList<>(List.of("lab", "init", folder.toString()));
            for (int i = 100; i < 200; i++) {
                unused.add("12025550" + i);
                init.addAll(List.of("--number", "12025550" + i));
            }
            run(init.toArray(String[]::new));
            x5uBase = find(X5U, read("lab.toml"));
            startService("127.0.0.1:0");
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }

    private void startService(String listen) throws IOException {
        // Not to our own output, which the service would keep open if the test were killed.
        service = new ProcessBuilder(COMMAND, "cps", "serve", "--lab", folder.toString(), "--listen", listen)
                .redirectError(folder.resolve("service.log").toFile())
                .start();
        BufferedReader output = service.inputReader();
        baseUrl = find(SERVING, output.readLine());
    }

    /** Where the service is. */
    public String baseUrl() {
        return baseUrl;
    }

    /** A number with a credential that no test has used. */
    public synchronized String number() {
        return unused.removeFirst();
    }

    /** Where a number's certificate is said to be. */
    public String x5u(String number) {
        return x5uBase + "/" + number + ".pem";
    }

    /** A file of the laboratory. */
    public String read(String... names) {
        try {
            return Files.readString(folder.resolve(String.join("/", names)));
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }

    /** A file that does not exist yet. */
    public synchronized File newFile(String suffix) {
        return folder.resolve(files++ + suffix).toFile();
    }

    /** Runs the command and gives what it prints. */
    public String run(String... arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of(COMMAND));
        words.addAll(List.of(arguments));
        Process process = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(process.getInputStream().readAllBytes());
        try {
            if (process.waitFor() != 0) {
                throw new IllegalStateException("ringtrue " + arguments[0] + " failed");
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        return output;
    }

    @Override
    public void close() {
        service.destroy();
        try {
            if (!service.waitFor(60, TimeUnit.SECONDS) || service.exitValue() != 0) {
                throw new IllegalStateException("the service did not end well: " + read("service.log"));
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        delete(folder.toFile());
    }

    /** Clients that are ending may take files of theirs away meanwhile. */
    private static void delete(File file) {
        File[] files = file.listFiles();
        if (files != null) {
            for (File each : files) {
                delete(each);
            }
        }
        file.delete();
    }

    private static String command() {
        String command = System.getenv("RINGTRUE_BIN");
        return command != null ? command : System.getProperty("ringtrue.root") + "/target/debug/ringtrue";
    }

    private static String find(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text == null ? "" : text);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + pattern);
        }
        return matcher.group(1);
    }
}
