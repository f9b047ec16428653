/** AV1's sequence header (AV1 Bitstream Specification, 5.5), read as far as the range of its samples. */

/**
 * Whether samples are stored in limited range (16 to 235 of 255), by the first sequence header among `units`, the
 * open bitstream units of a picture. Undefined if there is none. Throws RangeError if it breaks off.
 */
export function limitedRange(units: Buffer): boolean | undefined {
  const header = sequenceHeaderIn(units);
  return header && !isFullRange(bitReader(header));
}

// --- helpers ---

const sequenceHeader = 1;

function sequenceHeaderIn(units: Buffer): Buffer | undefined {
  for (let at = 0; at < units.length; ) {
    const first = units.readUInt8(at);
    const hasExtension = (first & 4) !== 0;
    const hasSize = (first & 2) !== 0;
    at += hasExtension ? 2 : 1;
    let size = units.length - at;
    if (hasSize) {
      size = 0;
      for (let i = 0; i < 8; i++) {
        const byte = units.readUInt8(at++);
        size += (byte & 0x7f) * 2 ** (7 * i);
        if (byte < 0x80) break;
      }
    }
    if (((first >> 3) & 15) === sequenceHeader) return units.subarray(at, at + size);
    at += size;
  }
  return undefined;
}

type ReadBits = (count: number) => number;

function bitReader(data: Buffer): ReadBits {
  let position = 0;
  return (count) => {
    let value = 0;
    for (let i = 0; i < count; i++, position++) {
      value = value * 2 + ((data.readUInt8(position >> 3) >> (7 - (position & 7))) & 1);
    }
    return value;
  };
}

/** Field by field, in the order and by the names of the specification. */
function isFullRange(read: ReadBits): boolean {
  const profile = read(3);
  read(1); // still_picture
  const isReduced = read(1) === 1;
  if (isReduced) read(5);
  else operatingPoints(read);
  const widthBits = read(4) + 1;
  const heightBits = read(4) + 1;
  read(widthBits);
  read(heightBits);
  if (!isReduced && read(1) === 1) read(7); // frame_id_numbers_present_flag
  read(3); // 128 x 128 superblocks, filter intra, intra edge filter
  if (!isReduced) interTools(read);
  read(3); // superres, cdef, restoration

  const isHighBitDepth = read(1) === 1;
  if (profile === 2 && isHighBitDepth) read(1); // twelve_bit
  const isMonochrome = profile !== 1 && read(1) === 1;
  const [primaries, transfer, matrix] = read(1) === 1 ? [read(8), read(8), read(8)] : [2, 2, 2];
  const isIdentityRgb = primaries === 1 && transfer === 13 && matrix === 0;
  return (!isMonochrome && isIdentityRgb) || read(1) === 1;
}

function operatingPoints(read: ReadBits): void {
  let delayBits = 0;
  const hasTiming = read(1) === 1;
  let hasDecoderModel = false;
  if (hasTiming) {
    read(32); // num_units_in_display_tick
    read(32); // time_scale
    if (read(1) === 1) exponentialGolomb(read);
    hasDecoderModel = read(1) === 1;
    if (hasDecoderModel) {
      delayBits = read(5) + 1;
      read(32); // num_units_in_decoding_tick
      read(10); // buffer_removal_time_length_minus_1, frame_presentation_time_length_minus_1
    }
  }
  const hasDisplayDelay = read(1) === 1;
  for (let points = read(5) + 1; points > 0; points--) {
    read(12); // operating_point_idc
    if (read(5) > 7) read(1); // seq_level_idx, seq_tier
    if (hasDecoderModel && read(1) === 1) read(2 * delayBits + 1);
    if (hasDisplayDelay && read(1) === 1) read(4);
  }
}

function interTools(read: ReadBits): void {
  read(4); // interintra, masked, warped, dual filter
  const hasOrderHint = read(1) === 1;
  if (hasOrderHint) read(2); // jnt_comp, ref_frame_mvs
  const choosesScreenContent = read(1) === 1;
  const hasScreenContent = choosesScreenContent || read(1) === 1;
  if (hasScreenContent && read(1) === 0) read(1); // seq_choose_integer_mv, seq_force_integer_mv
  if (hasOrderHint) read(3); // order_hint_bits_minus_1
}

function exponentialGolomb(read: ReadBits): void {
  let zeros = 0;
  while (zeros < 32 && read(1) === 0) zeros++;
  read(zeros);
}
