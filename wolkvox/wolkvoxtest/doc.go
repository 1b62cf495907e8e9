// Package wolkvoxtest is a fake wolkvox server for tests and demonstrations, similar to
// net/http/httptest.
//
// It answers the report chat_8 and its siblings routing_points and token_info
// as the vendor's documents describe them, and enforces the vendor's limits. A test
// chooses the [Readings] of the undocumented parts, the next [Fault], and the chats that
// make a response unreadable with a [Poison]. [Server.Truth] returns the totals that a
// reader of the report must find.
//
// It is independent of the client: it is written from the vendor's documents alone.
package wolkvoxtest
