// Package link carries Modbus requests to the units of one line and brings their replies back. There is a file for each
// transport: tcp.go for Modbus TCP, tls.go for that inside TLS, udp.go for both frames in datagrams, rtu.go for a
// serial port, ascii.go for one with ASCII, rtu_over_tcp.go for a serial device server that passes bare RTU frames on,
// and one for each kind of stick. A link implements protocol.Link; a protocol.Bus owns it.
//
// What a link guarantees:
//
//  1. It returns the reply to the request in flight and never that to another one. Where replies name no request, the
//     rules of pending.go see to it.
//  2. It sends a request once. A request that may have gone out is never sent again, unless a stick has refused it in
//     words because it did not name the stick.
//  3. It waits for the silence that the line and the device need, before each request.
//  4. It reads and drops what arrived between two requests.
//  5. It ends an exchange with a reply, the device's refusal, or an error that says whether anything went out.
//  6. An exchange takes two timeouts at most: one for a probe and one for the request.
//  7. It finds a reply among stray bytes, damaged frames, frames of others and the echo of the request.
//  8. A peer that hangs up is noticed before the next request goes out.
//  9. A link that can no longer be trusted closes itself; Open opens it again.
//  10. It counts what answers nothing and says what looks wrong with the line: see protocol.LinkCondition.
//
// goburrow/modbus packs the requests and unpacks the replies.
package link
