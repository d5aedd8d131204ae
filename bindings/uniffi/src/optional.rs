//! Members that an application may leave out.

/// Sets a member that the application gave; the others keep the core's default.
pub(crate) fn set<T, U>(member: &mut T, value: Option<U>, read: impl FnOnce(U) -> T) {
    if let Some(value) = value {
        *member = read(value);
    }
}

/// A count in the width that crosses the border, as the core has it.
pub(crate) fn count(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
