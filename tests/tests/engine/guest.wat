;; A guest whose answer is what the event brought: the payload of an MQTT message, byte for byte, wherever its pointers lead.
;; `ROLE` is replaced by the number of the role.
(module
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 131072))
  (global $payload (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  ;; Nothing is ever given back: an instance is for one call. The last bytes that are asked for are those of the payload.
  (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
    (local $here i32)
    (local.set $here (global.get $free))
    (global.set $free
      (i32.and (i32.add (i32.add (local.get $here) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (if (i32.eq (local.get $align) (i32.const 1))
      (then
        (global.set $payload (local.get $here))
        (global.set $length (local.get $size))))
    (local.get $here))
  (func (export "describe") (result i32) (i32.const 1024))
  (func (export "takes") (param i32 i32) (result i32) (i32.const 2048))
  (func (export "migrate") (param i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "handle") (param i32) (result i32)
    (memory.copy (i32.const 65536) (global.get $payload) (global.get $length))
    (i32.const 65536))
  ;; Name, version, summary, role, state version, settings.
  (data (i32.const 1024)
    "\00\06\00\00\05\00\00\00" "\10\06\00\00\01\00\00\00" "\00\06\00\00\05\00\00\00"
    "ROLE\00\00\00" "\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 1536) "guest")
  (data (i32.const 1552) "1")
  ;; Right: no commands, no words, one topic, no kinds, no needs.
  (data (i32.const 2048)
    "\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\0a\00\00\01\00\00\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 2560) "\10\0a\00\00\01\00\00\00")
  (data (i32.const 2576) "#"))
