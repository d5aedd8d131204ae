package io.ringtrue.framework;

import java.lang.reflect.Array;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What native methods of the framework do here: message queues wait and wake, clocks run, properties have
 * their defaults. Every other native method gives zero, false or null.
 */
public final class Natives {
    /** One native method; an instance method gets its object first. */
    public interface Native {
        /** Runs it. */
        Object call(Object[] arguments) throws InterruptedException;
    }

    /** Without these, Build and what rests on it cannot be used. */
    private static final Map<String, String> PROPERTIES = Map.of(
            "ro.product.cpu.abilist", "x86_64",
            "ro.product.cpu.abilist64", "x86_64",
            "ro.build.version.all_codenames", "REL",
            "ro.build.version.codename", "REL",
            "ro.build.version.release", "15");

    private static final Map<String, Native> METHODS = new ConcurrentHashMap<>();
    private static final Map<Long, Semaphore> QUEUES = new ConcurrentHashMap<>();
    private static final AtomicLong LAST_QUEUE = new AtomicLong();

    static {
        define("android/os/MessageQueue.nativeInit", arguments -> {
            long queue = LAST_QUEUE.incrementAndGet();
            QUEUES.put(queue, new Semaphore(0));
            return queue;
        });
        define("android/os/MessageQueue.nativePollOnce", arguments -> {
            Semaphore wake = QUEUES.get((Long) arguments[1]);
            int wait = (Integer) arguments[2];
            if (wait < 0) {
                wake.acquire();
            } else {
                wake.tryAcquire(wait, TimeUnit.MILLISECONDS);
            }
            wake.drainPermits();
            return null;
        });
        define("android/os/MessageQueue.nativeWake", arguments -> {
            QUEUES.get((Long) arguments[0]).release();
            return null;
        });
        Native uptime = arguments -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        define("android/os/SystemClock.uptimeMillis", uptime);
        define("android/os/SystemClock.elapsedRealtime", uptime);
        define("android/os/SystemClock.elapsedRealtimeNanos", arguments -> System.nanoTime());
        Native otherwise = arguments -> {
            String known = arguments.length == 1 || arguments[1] instanceof String
                    ? PROPERTIES.get(arguments[0])
                    : null;
            return known != null ? known : arguments.length > 1 ? arguments[1] : "";
        };
        for (String type : new String[] {"", "_int", "_long", "_boolean"}) {
            define("android/os/SystemProperties.native_get" + type, otherwise);
        }
        define("android/os/SystemProperties.native_get_int", arguments ->
                "ro.build.version.sdk".equals(arguments[0]) ? 35 : arguments[1]);
        define("android/os/Binder.getNativeBBinderHolder", arguments -> 1L);
        Native array = arguments -> Array.newInstance((Class<?>) arguments[1], (Integer) arguments[2]);
        define("dalvik/system/VMRuntime.newNonMovableArray", array);
        define("dalvik/system/VMRuntime.newUnpaddedArray", array);
        define("dalvik/system/VMRuntime.is64Bit", arguments -> true);
        define("android/os/Process.myPid", arguments -> 1);
        define("android/os/Process.myUid", arguments -> 10_000);
    }

    private Natives() {}

    /** Says what a native method does: {@code android/os/Process.myPid}. Overloads share a name. */
    public static void define(String name, Native method) {
        METHODS.put(name, method);
    }

    /** Called in the place of a native method. */
    public static Object call(String name, Object[] arguments) {
        Native method = METHODS.get(name);
        if (method == null) {
            return null;
        }
        try {
            return method.call(arguments);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    /** Unboxes; nothing is false. */
    public static boolean booleanOf(Object value) {
        return value != null && (Boolean) value;
    }

    /** Unboxes; nothing is zero. */
    public static byte byteOf(Object value) {
        return value == null ? 0 : ((Number) value).byteValue();
    }

    /** Unboxes; nothing is zero. */
    public static char charOf(Object value) {
        return value == null ? 0 : (Character) value;
    }

    /** Unboxes; nothing is zero. */
    public static double doubleOf(Object value) {
        return value == null ? 0 : ((Number) value).doubleValue();
    }

    /** Unboxes; nothing is zero. */
    public static float floatOf(Object value) {
        return value == null ? 0 : ((Number) value).floatValue();
    }

    /** Unboxes; nothing is zero. */
    public static int intOf(Object value) {
        return value == null ? 0 : ((Number) value).intValue();
    }

    /** Unboxes; nothing is zero. */
    public static long longOf(Object value) {
        return value == null ? 0 : ((Number) value).longValue();
    }

    /** Unboxes; nothing is zero. */
    public static short shortOf(Object value) {
        return value == null ? 0 : ((Number) value).shortValue();
    }
}
