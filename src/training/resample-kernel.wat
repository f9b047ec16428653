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

  ;; The weighted sum of a mixed row's pixels, four output pixels at a time: twelve bytes. The last four of each store are
  ;; no values: the next pixels overwrite them.
  (func $mixColumns
    (param $row i32) (param $offsets i32) (param $weights i32) (param $pairs i32) (param $side i32) (param $out i32)
    (local $step i32) (local $tap i32) (local $end i32) (local $pixels v128)
    (local $at0 i32) (local $at1 i32) (local $at2 i32) (local $at3 i32)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $weights1 i32) (local $weights2 i32) (local $weights3 i32)
    (local.set $end (i32.add (local.get $out) (i32.mul (local.get $side) (i32.const 3))))
    (local.set $step (i32.shl (local.get $pairs) (i32.const 2)))
    (loop $columns
      (local.set $at0 (i32.add (local.get $row) (i32.load (local.get $offsets))))
      (local.set $at1 (i32.add (local.get $row) (i32.load offset=4 (local.get $offsets))))
      (local.set $at2 (i32.add (local.get $row) (i32.load offset=8 (local.get $offsets))))
      (local.set $at3 (i32.add (local.get $row) (i32.load offset=12 (local.get $offsets))))
      (local.set $weights1 (i32.add (local.get $weights) (local.get $step)))
      (local.set $weights2 (i32.add (local.get $weights1) (local.get $step)))
      (local.set $weights3 (i32.add (local.get $weights2) (local.get $step)))
      (local.set $sum0 (v128.const i32x4 0x80000 0x80000 0x80000 0x80000)) ;; half of 2^20: rounds
      (local.set $sum1 (local.get $sum0))
      (local.set $sum2 (local.get $sum0))
      (local.set $sum3 (local.get $sum0))
      (local.set $tap (i32.const 0))
      (loop $taps
        (local.set $pixels (v128.load (i32.add (local.get $at0) (i32.mul (local.get $tap) (i32.const 3)))))
        (local.set $sum0 (i32x4.add (local.get $sum0) (i32x4.dot_i16x8_s
          (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 4 5 10 11 (local.get $pixels) (local.get $pixels))
          (v128.load32_splat (i32.add (local.get $weights) (local.get $tap))))))
        (local.set $pixels (v128.load (i32.add (local.get $at1) (i32.mul (local.get $tap) (i32.const 3)))))
        (local.set $sum1 (i32x4.add (local.get $sum1) (i32x4.dot_i16x8_s
          (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 4 5 10 11 (local.get $pixels) (local.get $pixels))
          (v128.load32_splat (i32.add (local.get $weights1) (local.get $tap))))))
        (local.set $pixels (v128.load (i32.add (local.get $at2) (i32.mul (local.get $tap) (i32.const 3)))))
        (local.set $sum2 (i32x4.add (local.get $sum2) (i32x4.dot_i16x8_s
          (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 4 5 10 11 (local.get $pixels) (local.get $pixels))
          (v128.load32_splat (i32.add (local.get $weights2) (local.get $tap))))))
        (local.set $pixels (v128.load (i32.add (local.get $at3) (i32.mul (local.get $tap) (i32.const 3)))))
        (local.set $sum3 (i32x4.add (local.get $sum3) (i32x4.dot_i16x8_s
          (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 4 5 10 11 (local.get $pixels) (local.get $pixels))
          (v128.load32_splat (i32.add (local.get $weights3) (local.get $tap))))))
        (br_if $taps (i32.lt_u (local.tee $tap (i32.add (local.get $tap) (i32.const 4))) (local.get $step))))
      (v128.store (local.get $out)
        (i8x16.shuffle 0 1 2 4 5 6 8 9 10 12 13 14 3 7 11 15
          (local.tee $pixels (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $sum0) (i32.const 20)) (i32x4.shr_s (local.get $sum1) (i32.const 20)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $sum2) (i32.const 20)) (i32x4.shr_s (local.get $sum3) (i32.const 20)))))
          (local.get $pixels)))
      (local.set $weights (i32.add (local.get $weights3) (local.get $step)))
      (local.set $offsets (i32.add (local.get $offsets) (i32.const 16)))
      (br_if $columns
        (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 12))) (local.get $end))))))
