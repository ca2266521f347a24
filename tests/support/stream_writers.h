#pragma once

#include <array>

#include "tests/support/dcmtk_codecs.h"

/// Writers of streams that DCMTK's encoders cannot write: every depth, restart intervals, tiles, JPEG-LS, JPEG 2000.
namespace retromass::test {

struct LosslessJpeg {
    int precision = 16;
    int predictor = 1;
    int point_transform = 0;
    int restart_rows = 0;      ///< 0 = no restarts
    bool long_codes = false;   ///< codes of 1 to 16 bits, the rarest category first, instead of 5 bits each
};
/// JPEG process 14 (ITU-T T.81 annex H), plainly: no table optimisation.
std::vector<std::byte> lossless_jpeg(const Pixels& pixels, int columns, int rows, const LosslessJpeg& how);

struct Jpeg2000 {
    int precision = 16;
    bool is_signed = false;    ///< of the stream
    float ratio = 0;           ///< lossy where above 1
    int levels = 5;
    int tile = 0;              ///< edge; 0 = one tile
    int precinct = 0;          ///< edge at full size; 0 = the largest
    int layers = 1;
};
/// A code stream by OpenJPEG's encoder; values are taken as `precision` bits.
std::vector<std::byte> jpeg_2000(const Pixels& pixels, int columns, int rows, const Jpeg2000& how);

/// JPEG-LS by CharLS. (DCMTK 3.6.7's encoder writes past its buffer where an image does not get smaller.)
/// `preset` = MAXVAL, T1, T2, T3, RESET; 0 = default.
std::vector<std::byte> jpeg_ls(const Pixels& pixels, int columns, int rows, int precision, int near, const std::array<int, 5>& preset = {});

/// Images that break decoders: constant, full range, alternating extremes, noise, a smooth object with noise, all below 2^bits.
std::vector<std::pair<std::string, Pixels>> awkward_images(int columns, int rows, int bits, unsigned seed);

/// What a bit error or a lost tail makes of a stream; the same for the same seed.
std::vector<std::byte> with_flipped_bits(std::vector<std::byte> stream, unsigned count, unsigned seed);

}  // namespace retromass::test
