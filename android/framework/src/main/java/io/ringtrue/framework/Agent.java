package io.ringtrue.framework;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;

/**
 * Lets the framework's own classes run on the JVM, for tests: native methods, which have no code here,
 * become calls of {@link Natives}. Everything else of the framework runs as it is.
 */
public final class Agent {
    private Agent() {}

    /** Called by the JVM before the tests ({@code -javaagent}). */
    public static void premain(String arguments, Instrumentation instrumentation) {
        instrumentation.addTransformer(new Transformer());
    }

    private static final class Transformer implements ClassFileTransformer {
        @Override
        public byte[] transform(
                ClassLoader loader,
                String name,
                Class<?> redefined,
                ProtectionDomain domain,
                byte[] octets) {
            if (loader == null || name == null || !isFramework(name)) {
                return null;
            }
            try {
                return Rewriter.rewrite(name, octets);
            } catch (Throwable fault) {
                // The JVM would go on silently with the class as it was.
                fault.printStackTrace();
                throw fault;
            }
        }

        private static boolean isFramework(String name) {
            return name.startsWith("android/")
                    || name.startsWith("com/android/")
                    || name.startsWith("dalvik/")
                    || name.startsWith("libcore/");
        }
    }
}
