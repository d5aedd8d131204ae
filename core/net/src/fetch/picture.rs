//! The size of a picture, before anybody decodes it.
//!
//! Reads the few header octets of PNG, JPEG and GIF that state width and height, so that an
//! application never hands its decoder a picture of a billion pixels in some kilobytes. Other forms are
//! refused: drawings (SVG) can fetch and run things of their own.

use ringtrue_stir::Reason;

/// The largest width and height. A calling picture is shown some hundred pixels wide.
pub const MAX_PICTURE_SIDE: u32 = 4096;

/// The most pixels: 16 MiB decoded, which an application can take while a call rings.
pub const MAX_PICTURE_PIXELS: u64 = 4 * 1024 * 1024;

/// JPEG segments in front of the one that states the size. Cameras write some ten.
const MAX_SEGMENTS: usize = 64;

/// Checks form and size of a picture (PPT-84).
///
/// # Errors
///
/// [`Reason::UnsupportedMediaType`] for another form, [`Reason::MalformedAnswer`] for a damaged
/// header or no pixels at all, [`Reason::AnswerTooLarge`] for too many.
pub(super) fn check(octets: &[u8]) -> Result<(), Reason> {
    let (width, height) = size(octets)?;
    if width == 0 || height == 0 {
        return Err(Reason::MalformedAnswer);
    }
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE || pixels > MAX_PICTURE_PIXELS {
        return Err(Reason::AnswerTooLarge);
    }
    Ok(())
}

fn size(octets: &[u8]) -> Result<(u32, u32), Reason> {
    if let Some(rest) = octets.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        return png(rest).ok_or(Reason::MalformedAnswer);
    }
    if let Some(rest) = octets
        .strip_prefix(b"GIF87a")
        .or_else(|| octets.strip_prefix(b"GIF89a"))
    {
        return gif(rest).ok_or(Reason::MalformedAnswer);
    }
    if let Some(rest) = octets.strip_prefix(b"\xff\xd8") {
        return jpeg(rest).ok_or(Reason::MalformedAnswer);
    }
    Err(Reason::UnsupportedMediaType)
}

fn png(rest: &[u8]) -> Option<(u32, u32)> {
    let rest = rest.strip_prefix(b"\x00\x00\x00\x0dIHDR")?;
    let (width, rest) = rest.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

fn gif(rest: &[u8]) -> Option<(u32, u32)> {
    let (width, rest) = rest.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((
        u32::from(u16::from_le_bytes(*width)),
        u32::from(u16::from_le_bytes(*height)),
    ))
}

fn jpeg(mut rest: &[u8]) -> Option<(u32, u32)> {
    for _ in 0..MAX_SEGMENTS {
        let ([0xff, marker], after) = rest.split_first_chunk()? else {
            return None;
        };
        let (length, body) = after.split_first_chunk()?;
        match marker {
            // A frame header: precision, height, width. The three left out are tables of other kinds.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (height, body) = body.get(1..)?.split_first_chunk()?;
                let (width, _) = body.split_first_chunk()?;
                return Some((
                    u32::from(u16::from_be_bytes(*width)),
                    u32::from(u16::from_be_bytes(*height)),
                ));
            }
            // Scan data, end of image, markers without a length: no frame header came before.
            0x00 | 0x01 | 0xd0..=0xda | 0xff => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(*length));
                rest = body.get(length.checked_sub(2)?..)?;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ringtrue_stir::Reason;

    use super::check;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut octets = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
        octets.extend_from_slice(&width.to_be_bytes());
        octets.extend_from_slice(&height.to_be_bytes());
        octets
    }

    fn jpeg(width: u16, height: u16, before: usize) -> Vec<u8> {
        let mut octets = vec![0xff, 0xd8];
        for _ in 0..before {
            octets.extend_from_slice(&[0xff, 0xe0, 0, 4, b'a', b'b']);
        }
        octets.extend_from_slice(&[0xff, 0xc2, 0, 11, 8]);
        octets.extend_from_slice(&height.to_be_bytes());
        octets.extend_from_slice(&width.to_be_bytes());
        octets
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        let mut octets = b"GIF89a".to_vec();
        octets.extend_from_slice(&width.to_le_bytes());
        octets.extend_from_slice(&height.to_le_bytes());
        octets
    }

    #[test]
    fn accepts_pictures_up_to_the_limits() {
        for octets in [
            png(256, 256),
            png(4096, 1024),
            png(1, 4096),
            jpeg(640, 480, 0),
            jpeg(2048, 2048, 20),
            gif(32, 32),
        ] {
            assert_eq!(check(&octets), Ok(()));
        }
    }

    #[test]
    fn refuses_pictures_with_too_many_pixels_or_none() {
        for octets in [
            png(4097, 1),
            png(1, 4097),
            png(4096, 1025),
            png(u32::MAX, u32::MAX),
            jpeg(u16::MAX, u16::MAX, 1),
            gif(u16::MAX, 1),
        ] {
            assert_eq!(check(&octets), Err(Reason::AnswerTooLarge));
        }
        for octets in [png(0, 5), png(5, 0), jpeg(0, 0, 0), gif(0, 9)] {
            assert_eq!(check(&octets), Err(Reason::MalformedAnswer));
        }
    }

    #[test]
    fn refuses_other_forms_and_damaged_headers() {
        for octets in [
            &b""[..],
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"RIFF\x00\x00\x00\x00WEBPVP8 ",
            b"BM",
            b"<html>",
        ] {
            assert_eq!(check(octets), Err(Reason::UnsupportedMediaType));
        }
        let endless = jpeg(640, 480, 64);
        for octets in [
            &b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIDAT12345678"[..],
            &png(9, 9)[..20],
            b"GIF89a\x01",
            b"\xff\xd8",
            b"\xff\xd8\xff\xe0\x00\x01",
            b"\xff\xd8\xff\xe0\xff\xffab",
            b"\xff\xd8\xff\xda\x00\x04ab",
            b"\xff\xd8\x00\xc0\x00\x04abcdefgh",
            &endless,
        ] {
            assert_eq!(check(octets), Err(Reason::MalformedAnswer));
        }
    }

    proptest! {
        #[test]
        fn never_panics(start in 0_usize..4, octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let start = [&b"\xff\xd8"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b""][start];
            let _ = check(&[start, &octets].concat());
        }
    }
}
