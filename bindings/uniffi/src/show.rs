//! Text of records that hold telephone numbers or tokens: for logs, so without them.

/// Implements `Debug` and `Display` of a type by one line that the type says of itself. Without it
/// the generated classes would print every member.
macro_rules! show {
    ($type:ty, |$value:ident, $f:ident| $write:expr) => {
        impl ::core::fmt::Display for $type {
            fn fmt(&self, $f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let $value = self;
                $write
            }
        }

        impl ::core::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use show;
