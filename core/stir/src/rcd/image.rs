//! Images of a stranger: what may be given to a decoder at all.
//!
//! Reads headers only. PNG and JPEG are the forms that cannot refer to other content (PPT-72); SVG
//! can, and animated forms cost more than their header says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Reason;

/// The most octets of an image: ample for the largest icon below.
pub const MAX_IMAGE_LEN: usize = 256 * 1024;

/// The most pixels of either side. Keeps what a decoder allocates at 4 MiB.
pub const MAX_IMAGE_SIDE: u32 = 1024;

/// The form of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl ImageFormat {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Checks that `octets` begin like an image of a known form, and that its size is bearable.
///
/// # Errors
///
/// - [`Reason::TooLong`]: beyond [`MAX_IMAGE_LEN`] octets or [`MAX_IMAGE_SIDE`] pixels.
/// - [`Reason::UnsupportedMediaType`]: neither PNG nor JPEG, or without a size.
///
/// Source: PPT-84.
pub fn check_image(octets: &[u8]) -> Result<ImageFormat, Reason> {
    if octets.len() > MAX_IMAGE_LEN {
        return Err(Reason::TooLong);
    }
    let (format, (width, height)) = png_size(octets)
        .map(|size| (ImageFormat::Png, size))
        .or_else(|| jpeg_size(octets).map(|size| (ImageFormat::Jpeg, size)))
        .filter(|(_, (width, height))| *width > 0 && *height > 0)
        .ok_or(Reason::UnsupportedMediaType)?;
    if width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE {
        return Err(Reason::TooLong);
    }
    Ok(format)
}

/// The signature, then the header chunk, which must come first: ISO/IEC 15948.
fn png_size(octets: &[u8]) -> Option<(u32, u32)> {
    let header = octets.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let (width, header) = header.split_first_chunk()?;
    let (height, _) = header.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Segments up to the frame header: ITU-T T.81 annex B. Each step consumes at least two octets.
fn jpeg_size(octets: &[u8]) -> Option<(u32, u32)> {
    let mut rest = octets.strip_prefix(b"\xff\xd8")?;
    loop {
        let (&first, after) = rest.split_first()?;
        let (&marker, after) = after.split_first()?;
        if first != 0xFF {
            return None;
        }
        if marker == 0xFF {
            // A fill octet.
            rest = rest.get(1..)?;
            continue;
        }
        let (len, _) = after.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let segment = after.get(2..len)?;
        match marker {
            // The frame headers; C4, C8 and CC are tables of this range.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let (_precision, segment) = segment.split_first()?;
                let (height, segment) = segment.split_first_chunk()?;
                let (width, _) = segment.split_first_chunk()?;
                let side = |octets: &[u8; 2]| u32::from(u16::from_be_bytes(*octets));
                return Some((side(width), side(height)));
            }
            0xC4 | 0xC8 | 0xCC | 0xDB | 0xDD | 0xE0..=0xEF | 0xFE => rest = after.get(len..)?,
            // The image data begin, or something that does not belong before a frame.
            _ => return None,
        }
    }
}

/// The image in a `data:` URL: base64, and of the form that it says.
///
/// # Errors
///
/// [`Reason::MalformedUrl`] if it is not `data:image/…;base64,…` in standard base64, otherwise as
/// [`check_image`]; [`Reason::UnsupportedMediaType`] also if the form is not the stated one.
pub(super) fn read_data_url(url: &str) -> Result<Vec<u8>, Reason> {
    let (media_type, base64) = url
        .get(5..)
        .filter(|_| is_data_url(url))
        .and_then(|rest| rest.split_once(";base64,"))
        .ok_or(Reason::MalformedUrl)?;
    let octets = STANDARD.decode(base64).map_err(|_| Reason::MalformedUrl)?;
    let format = check_image(&octets)?;
    if media_type.eq_ignore_ascii_case(format.media_type()) {
        Ok(octets)
    } else {
        Err(Reason::UnsupportedMediaType)
    }
}

pub(super) fn is_data_url(url: &str) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The URL that holds `octets`, an image of this form.
pub(super) fn to_data_url(format: ImageFormat, octets: &[u8]) -> String {
    format!(
        "data:{};base64,{}",
        format.media_type(),
        STANDARD.encode(octets)
    )
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::{
        ImageFormat, MAX_IMAGE_LEN, MAX_IMAGE_SIDE, check_image, read_data_url, to_data_url,
    };
    use crate::Reason;

    pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut octets = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        octets.extend(width.to_be_bytes());
        octets.extend(height.to_be_bytes());
        octets.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        octets
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut octets =
            b"\xff\xd8\xff\xe0\0\x06JFIF\xff\xff\xdb\0\x03x\xff\xc2\0\x0b\x08".to_vec();
        octets.extend(height.to_be_bytes());
        octets.extend(width.to_be_bytes());
        octets.extend([1, 1, 0x11, 0]);
        octets
    }

    #[test]
    fn accepts_png_and_jpeg_up_to_the_limits() {
        assert_eq!(check_image(&png(256, 256)), Ok(ImageFormat::Png));
        assert_eq!(check_image(&png(MAX_IMAGE_SIDE, 1)), Ok(ImageFormat::Png));
        assert_eq!(check_image(&jpeg(64, 1024)), Ok(ImageFormat::Jpeg));
        let mut padded = png(1, 1);
        padded.resize(MAX_IMAGE_LEN, 0);
        assert_eq!(check_image(&padded), Ok(ImageFormat::Png));
    }

    #[test]
    fn refuses_more_octets_or_pixels_than_the_limits() {
        let mut long = png(1, 1);
        long.resize(MAX_IMAGE_LEN + 1, 0);
        for image in [
            long,
            png(MAX_IMAGE_SIDE + 1, 1),
            png(1, u32::MAX),
            jpeg(1025, 1),
            jpeg(1, u16::MAX),
        ] {
            assert_eq!(check_image(&image), Err(Reason::TooLong));
        }
    }

    #[test]
    fn refuses_what_is_no_png_or_jpeg_or_has_no_size() {
        for octets in [
            &b""[..],
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"GIF89a\x01\0\x01\0",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"BM",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8",
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xe0\0\x01",
            b"\xff\xd8\xff\xe0\xff\xff",
            b"\xff\xd8\xff\xff\xff\xff",
            b"\xff\xd8\xff\xda\0\x02",
            &png(0, 1),
            &png(1, 1)[..20],
            &jpeg(1, 0),
            &jpeg(0, 1),
            &jpeg(1, 1)[..24],
        ] {
            assert_eq!(
                check_image(octets),
                Err(Reason::UnsupportedMediaType),
                "{octets:?}"
            );
        }
    }

    #[test]
    fn refuses_data_urls_of_other_forms() {
        let image = to_data_url(ImageFormat::Png, &png(1, 1));
        assert_eq!(read_data_url(&image), Ok(png(1, 1)));
        assert_eq!(
            read_data_url(&image.replace("data:image", "DATA:IMAGE")),
            Ok(png(1, 1))
        );
        for (url, reason) in [
            (
                image.replace("image/png", "image/jpeg"),
                Reason::UnsupportedMediaType,
            ),
            (
                image.replace("image/png", "text/html"),
                Reason::UnsupportedMediaType,
            ),
            (
                "data:image/png;base64,".to_owned(),
                Reason::UnsupportedMediaType,
            ),
            (
                "data:image/png;base64,PHN2Zy8+".to_owned(),
                Reason::UnsupportedMediaType,
            ),
            ("data:image/png,%89PNG".to_owned(), Reason::MalformedUrl),
            ("data:image/png;base64,%".to_owned(), Reason::MalformedUrl),
            (
                "data:image/png;base64,a-_a".to_owned(),
                Reason::MalformedUrl,
            ),
            ("https://example.com/a.png".to_owned(), Reason::MalformedUrl),
            (String::new(), Reason::MalformedUrl),
        ] {
            assert_eq!(read_data_url(&url), Err(reason), "{url}");
        }
    }

    proptest! {
        #[test]
        fn reading_headers_never_panics(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = check_image(&octets);
            let _ = check_image(&[b"\xff\xd8\xff".as_slice(), &octets].concat());
            let _ = check_image(&[b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &octets].concat());
        }

        #[test]
        fn data_urls_never_panic(text in "(data:)?.{0,20}(;base64,)?.{0,40}") {
            let _ = read_data_url(&text);
        }

        #[test]
        fn an_image_comes_back_from_its_url(width in 1_u32..=MAX_IMAGE_SIDE, height in 1_u32..=MAX_IMAGE_SIDE) {
            let image = png(width, height);
            prop_assert_eq!(read_data_url(&to_data_url(ImageFormat::Png, &image)), Ok(image));
        }
    }
}
