package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/liter-llm/liter-llm/scripts/bench/go/harness"
)

// rawCaller is the raw-socket client in Go: HTTP/1.1 over one connection that is kept. What any user
// would need at least, and nothing else.
type rawCaller struct {
	request    harness.Request
	url        *url.URL
	connection net.Conn
	in         *bufio.Reader
	out, body  []byte
}

func openRaw(base string, request harness.Request) func() harness.Caller {
	where, err := url.Parse(base)
	if err != nil {
		harness.Die(err)
	}
	return func() harness.Caller { return &rawCaller{request: request, url: where} }
}

func (c *rawCaller) Chat() (string, int64, error) {
	if c.connection == nil {
		connection, err := net.Dial("tcp", c.url.Host)
		if err != nil {
			return "", 0, err
		}
		c.connection, c.in = connection, bufio.NewReader(connection)
	}
	body, err := json.Marshal(&c.request)
	if err != nil {
		return "", 0, err
	}
	c.out = fmt.Appendf(c.out[:0], "POST %s/chat/completions HTTP/1.1\r\nhost: %s\r\n"+
		"authorization: Bearer %s\r\ncontent-type: application/json\r\naccept: application/json\r\n"+
		"content-length: %d\r\n\r\n", c.url.Path, c.url.Host, harness.Key, len(body))
	c.out = append(c.out, body...)
	if _, err := c.connection.Write(c.out); err != nil {
		return "", 0, err
	}
	if err := c.read(); err != nil {
		return "", 0, err
	}
	return harness.Answer(c.body)
}

// read reads status line, headers and a body by content-length.
func (c *rawCaller) read() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, "HTTP/1.1 200 ") {
		return errors.New(line)
	}
	headers := make(map[string]string, 8)
	for {
		if line, err = c.line(); err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		headers[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	length, err := strconv.Atoi(headers["content-length"])
	if err != nil {
		return err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return err
}

func (c *rawCaller) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}
