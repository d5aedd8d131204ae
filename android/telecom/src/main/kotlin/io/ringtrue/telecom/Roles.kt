package io.ringtrue.telecom

import android.app.role.RoleManager
import android.content.Context
import android.content.Intent

/** A role that the user gives to one application. */
public enum class Role(internal val system: String) {
    /** Shows calls and places them: everything of [SCREENING] too. */
    DIALER("android.app.role.DIALER"),

    /** Is told of outgoing calls before they go out. */
    REDIRECTION("android.app.role.CALL_REDIRECTION"),

    /** Is told of incoming calls before they ring. */
    SCREENING("android.app.role.CALL_SCREENING"),
}

/**
 * Asks for the roles that a telephone application needs. Nobody tells an application that it lost one: look
 * each time it is opened.
 */
public class Roles(context: Context) {
    private val manager: RoleManager? = context.getSystemService(RoleManager::class.java)

    /** Whether the device knows the role: a tablet may not. */
    public fun isAvailable(role: Role): Boolean = manager?.isRoleAvailable(role.system) == true

    /** Whether the application holds the role now. */
    public fun isHeld(role: Role): Boolean = manager?.isRoleHeld(role.system) == true

    /**
     * What to start, for a result, so that the user is asked; nothing if the role is held or unknown. To be
     * asked for calls of contacts too, ask for `READ_CONTACTS` beside [Role.SCREENING] and say why: a caller
     * who pretends to be a contact is the case that matters most.
     */
    public fun request(role: Role): Intent? =
        if (isAvailable(role) && !isHeld(role)) manager?.createRequestRoleIntent(role.system) else null
}
