package io.ringtrue.framework;

import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** Gives native methods a body that calls {@link Natives#call}. */
final class Rewriter {
    /** Classes that rest on what only Android's own libraries have: every method of theirs does nothing. */
    private static final Set<String> HOLLOW = Set.of("libcore/util/NativeAllocationRegistry");

    private static final String NATIVES = "io/ringtrue/framework/Natives";

    private Rewriter() {}

    static byte[] rewrite(String name, byte[] octets) {
        boolean hollow = HOLLOW.contains(name);
        ClassReader reader = new ClassReader(octets);
        ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        reader.accept(new Natively(writer, name, hollow), 0);
        return writer.toByteArray();
    }

    private static final class Natively extends ClassVisitor {
        private final String owner;
        private final boolean hollow;

        Natively(ClassVisitor next, String owner, boolean hollow) {
            super(Opcodes.ASM9, next);
            this.owner = owner;
            this.hollow = hollow;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String name, String descriptor, String signature, String[] exceptions) {
            boolean isNative = (access & Opcodes.ACC_NATIVE) != 0;
            boolean isAbstract = (access & Opcodes.ACC_ABSTRACT) != 0;
            if (!isNative && (!hollow || isAbstract)) {
                return super.visitMethod(access, name, descriptor, signature, exceptions);
            }
            int open = access & ~Opcodes.ACC_NATIVE;
            MethodVisitor body = super.visitMethod(open, name, descriptor, signature, exceptions);
            write(body, open, name, descriptor);
            return null;
        }

        private void write(MethodVisitor body, int access, String name, String descriptor) {
            boolean isStatic = (access & Opcodes.ACC_STATIC) != 0;
            Type[] parameters = Type.getArgumentTypes(descriptor);
            Type result = Type.getReturnType(descriptor);
            body.visitCode();
            if (name.equals("<init>")) {
                body.visitVarInsn(Opcodes.ALOAD, 0);
                body.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
                body.visitInsn(Opcodes.RETURN);
                body.visitMaxs(0, 0);
                body.visitEnd();
                return;
            }
            body.visitLdcInsn(owner + "." + name);
            int first = isStatic ? 0 : 1;
            push(body, parameters.length + first);
            body.visitTypeInsn(Opcodes.ANEWARRAY, "java/lang/Object");
            int slot = 0;
            if (!isStatic) {
                body.visitInsn(Opcodes.DUP);
                push(body, 0);
                body.visitVarInsn(Opcodes.ALOAD, slot++);
                body.visitInsn(Opcodes.AASTORE);
            }
            for (int i = 0; i < parameters.length; i++) {
                body.visitInsn(Opcodes.DUP);
                push(body, i + first);
                body.visitVarInsn(parameters[i].getOpcode(Opcodes.ILOAD), slot);
                slot += parameters[i].getSize();
                box(body, parameters[i]);
                body.visitInsn(Opcodes.AASTORE);
            }
            body.visitMethodInsn(
                    Opcodes.INVOKESTATIC,
                    NATIVES,
                    "call",
                    "(Ljava/lang/String;[Ljava/lang/Object;)Ljava/lang/Object;",
                    false);
            unbox(body, result);
            body.visitInsn(result.getOpcode(Opcodes.IRETURN));
            body.visitMaxs(0, 0);
            body.visitEnd();
        }

        private static void push(MethodVisitor body, int value) {
            body.visitIntInsn(Opcodes.SIPUSH, value);
        }

        private static void box(MethodVisitor body, Type type) {
            if (type.getSort() >= Type.ARRAY) {
                return;
            }
            String boxed = boxed(type);
            String descriptor = "(" + type.getDescriptor() + ")L" + boxed + ";";
            body.visitMethodInsn(Opcodes.INVOKESTATIC, boxed, "valueOf", descriptor, false);
        }

        private static void unbox(MethodVisitor body, Type type) {
            switch (type.getSort()) {
                case Type.VOID -> body.visitInsn(Opcodes.POP);
                case Type.ARRAY, Type.OBJECT -> body.visitTypeInsn(Opcodes.CHECKCAST, type.getInternalName());
                default -> {
                    String descriptor = "(Ljava/lang/Object;)" + type.getDescriptor();
                    String name = type.getClassName() + "Of";
                    body.visitMethodInsn(Opcodes.INVOKESTATIC, NATIVES, name, descriptor, false);
                }
            }
        }

        private static String boxed(Type type) {
            return switch (type.getSort()) {
                case Type.BOOLEAN -> "java/lang/Boolean";
                case Type.BYTE -> "java/lang/Byte";
                case Type.CHAR -> "java/lang/Character";
                case Type.DOUBLE -> "java/lang/Double";
                case Type.FLOAT -> "java/lang/Float";
                case Type.INT -> "java/lang/Integer";
                case Type.LONG -> "java/lang/Long";
                case Type.SHORT -> "java/lang/Short";
                default -> throw new IllegalStateException(type.getDescriptor());
            };
        }
    }
}
