;; The inner loops of resample.ts in SIMD. `npm run wasm` assembles this file into resample-kernel.ts.
;;
;; Values are 8 bits, weights 14 bits. `i32x4.dot_i16x8_s` multiplies pairs of values with pairs of weights and adds the
;; two products, so taps come in pairs; a weight of 0 fills up the last one. Loops run over whole vectors: they read and
;; write a few bytes past the end, for which the caller leaves room.
(module
  (memory (export "memory") 1)

  ;; Resamples a window to `side` x `side` RGB pixels at `out`. `rowOffsets` and `columnOffsets` (i32 each) say how many
  ;; bytes after `source`, and after the start of a mixed row, the first tap of each output lies; `rowWeights` and
  ;; `columnWeights` (i16) have `rowPairs` and `columnPairs` pairs an output. The mixed row lies from `row` to `rowEnd`.
  (func (export "resample")
    (param $source i32) (param $stride i32)
    (param $rowOffsets i32) (param $rowWeights i32) (param $rowPairs i32)
    (param $columnOffsets i32) (param $columnWeights i32) (param $columnPairs i32)
    (param $side i32) (param $row i32) (param $rowEnd i32) (param $out i32)
    (local $y i32)
    (loop $rows
      (call $mixRows
        (i32.add (local.get $source) (i32.load (local.get $rowOffsets)))
        (local.get $stride) (local.get $rowWeights) (local.get $rowPairs)
        (local.get $row) (local.get $rowEnd))
      (call $mixColumns
        (local.get $row) (local.get $columnOffsets) (local.get $columnWeights) (local.get $columnPairs)
        (local.get $side) (local.get $out))
      (local.set $rowOffsets (i32.add (local.get $rowOffsets) (i32.const 4)))
      (local.set $rowWeights (i32.add (local.get $rowWeights) (i32.shl (local.get $rowPairs) (i32.const 2))))
      (local.set $out (i32.add (local.get $out) (i32.mul (local.get $side) (i32.const 3))))
      (br_if $rows (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $side)))))

  ;; The weighted sum of source rows, 16 values at a time, as i16 with 6 fractional bits.
  (func $mixRows
    (param $from i32) (param $stride i32) (param $weights i32) (param $pairs i32) (param $to i32) (param $end i32)
    (local $at i32) (local $pair i32) (local $w v128) (local $even v128) (local $odd v128) (local $both v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    ;; Often the last pair has no weight.
    (loop $trim
      (if (i32.gt_u (local.get $pairs) (i32.const 1))
        (then
          (if (i32.eqz (i32.load (i32.add (local.get $weights)
                (i32.shl (i32.sub (local.get $pairs) (i32.const 1)) (i32.const 2)))))
            (then
              (local.set $pairs (i32.sub (local.get $pairs) (i32.const 1)))
              (br $trim))))))
    (loop $values
      (local.set $a (v128.const i32x4 128 128 128 128)) ;; half of 2^8: rounds
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (local.set $at (local.get $from))
      (local.set $pair (i32.const 0))
      (loop $taps
        (local.set $w (v128.load32_splat
          (i32.add (local.get $weights) (i32.shl (local.get $pair) (i32.const 2)))))
        (local.set $even (v128.load (local.get $at)))
        (local.set $odd (v128.load (i32.add (local.get $at) (local.get $stride))))
        (local.set $both (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $even) (local.get $odd)))
        (local.set $a (i32x4.add (local.get $a)
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $both)) (local.get $w))))
        (local.set $b (i32x4.add (local.get $b)
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $both)) (local.get $w))))
        (local.set $both
          (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $even) (local.get $odd)))
        (local.set $c (i32x4.add (local.get $c)
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $both)) (local.get $w))))
        (local.set $d (i32x4.add (local.get $d)
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $both)) (local.get $w))))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $stride) (i32.const 1))))
        (br_if $taps
          (i32.lt_u (local.tee $pair (i32.add (local.get $pair) (i32.const 1))) (local.get $pairs))))
      (v128.store (local.get $to) (i16x8.narrow_i32x4_s
        (i32x4.shr_s (local.get $a) (i32.const 8)) (i32x4.shr_s (local.get $b) (i32.const 8))))
      (v128.store offset=16 (local.get $to) (i16x8.narrow_i32x4_s
        (i32x4.shr_s (local.get $c) (i32.const 8)) (i32x4.shr_s (local.get $d) (i32.const 8))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $values
        (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 32))) (local.get $end)))))

  ;; The weighted sum of a mixed row's pixels, one output pixel at a time. The fourth byte of each store is no value:
  ;; the next pixel overwrites it.
  (func $mixColumns
    (param $row i32) (param $offsets i32) (param $weights i32) (param $pairs i32) (param $side i32) (param $out i32)
    (local $at i32) (local $pair i32) (local $end i32) (local $pixels v128) (local $sum v128)
    (local.set $end (i32.add (local.get $out) (i32.mul (local.get $side) (i32.const 3))))
    (loop $columns
      (local.set $sum (v128.const i32x4 0x80000 0x80000 0x80000 0x80000)) ;; half of 2^20: rounds
      (local.set $at (i32.add (local.get $row) (i32.load (local.get $offsets))))
      (local.set $pair (local.get $pairs))
      (loop $taps
        (local.set $pixels (v128.load (local.get $at)))
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.dot_i16x8_s
          (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 4 5 10 11 (local.get $pixels) (local.get $pixels))
          (v128.load32_splat (local.get $weights)))))
        (local.set $at (i32.add (local.get $at) (i32.const 12)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 4)))
        (br_if $taps (local.tee $pair (i32.sub (local.get $pair) (i32.const 1)))))
      (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 20)))
      (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
      (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
      (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
      (br_if $columns
        (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 3))) (local.get $end))))))
