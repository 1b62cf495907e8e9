package wolkvoxtest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// dripInterval is the time between two pieces of a response that never ends.
const dripInterval = time.Second

// unsolicitedResponse is a whole response with personal data, which must not be logged.
const unsolicitedResponse = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n" +
	`{"code":200,"data":[{"customer_phone":"573005550666"}]}     `

// hijack takes the connection from net/http, which would not send such bytes, and calls
// talk with it. gone is closed when the client has disconnected or the server closes.
// Writes fail then.
func (c *call) hijack(talk func(conn net.Conn, gone <-chan struct{})) {
	c.conns.Add(1) // net/http no longer counts it.
	defer c.conns.Done()
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection of its own for a request.
	}
	defer conn.Close()
	gone := make(chan struct{})
	c.conns.Go(func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	})
	c.conns.Go(func() {
		select {
		case <-c.closing:
			_ = conn.Close()
		case <-gone:
		}
	})
	talk(conn, gone)
}

// dripFault returns a fault that sends a head, and then the same piece once a second.
func dripFault(name string, status int, head, piece string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) {
		c.finish(status, 0, 0, false)
		c.hijack(func(conn net.Conn, gone <-chan struct{}) {
			_, err := io.WriteString(conn, head)
			for err == nil {
				select {
				case <-time.After(dripInterval):
					_, err = io.WriteString(conn, piece)
				case <-gone:
					return
				}
			}
		})
	}}
}

// rawFault returns a fault that sends a text and keeps the connection.
func rawFault(name string, status int, text string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) {
		c.finish(status, 0, 0, false)
		c.hijack(func(conn net.Conn, gone <-chan struct{}) {
			if _, err := io.WriteString(conn, text); err == nil {
				<-gone
			}
		})
	}}
}

// sendBehind ends a response whose body is written, sends a text after it, and keeps the
// connection.
func (c *call) sendBehind(text string) {
	if http.NewResponseController(c.w).Flush() != nil {
		return
	}
	c.hijack(func(conn net.Conn, gone <-chan struct{}) {
		// The response was chunked from the flush on.
		if _, err := io.WriteString(conn, "0\r\n\r\n"+text); err == nil {
			<-gone
		}
	})
}

// head returns the status line and the headers of a response.
func head(status int, headers ...string) string {
	line := "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n"
	return line + strings.Join(append(headers, "\r\n"), "\r\n")
}

// chunk returns a chunk of a chunked body.
func chunk(text string) string {
	return strconv.FormatInt(int64(len(text)), 16) + "\r\n" + text + "\r\n"
}

const (
	asJSON    = "Content-Type: application/json"
	chunked   = "Transfer-Encoding: chunked"
	bodyStart = `{"code":200,"msg":"1 records were found","data":[`
)

// emptyBlock returns a piece of a compressed body that decompresses to nothing.
func emptyBlock() string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_ = zip.Flush() // A bytes.Buffer returns no error.
	const header = 10
	return b.String()[header:]
}

// gzipped returns the start of a compressed body.
func gzipped(text string) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.WriteString(zip, text)
	_ = zip.Flush()
	return b.String()
}

func dripGzip(name string) faultSpec {
	return dripFault(name, 200, head(200, asJSON, "Content-Encoding: gzip", chunked)+chunk(gzipped(bodyStart)), chunk(emptyBlock()))
}
