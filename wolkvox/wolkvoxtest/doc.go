// Package wolkvoxtest is a wolkvox server for tests and demonstrations, in the
// manner of net/http/httptest.
//
// It answers the report chat_8 and its siblings routing_points and token_info
// as the vendor's documents describe them, keeps the vendor's limits, and can be
// told which [Readings] of the undocumented parts to follow, which [Fault] to
// commit next and which chats spoil a response with a [Poison]. It keeps an
// account of its own: [Server.Truth] says what a reader of the report must arrive
// at.
//
// It knows nothing of any client: it is written from the documents alone.
package wolkvoxtest
