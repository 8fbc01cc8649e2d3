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
)

// rawCaller is the raw-socket client in Go: HTTP/1.1 over one connection that is kept. What any user
// would need at least, and nothing else.
type rawCaller struct {
	request    Request
	url        *url.URL
	connection net.Conn
	in         *bufio.Reader
	out, body  []byte
}

// Completion is the answer, as a hand-written client would declare it.
type Completion struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index        int     `json:"index"`
		Message      Message `json:"message"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
		TotalTokens      int64 `json:"total_tokens"`
	} `json:"usage"`
}

func openRaw(base string, request Request) func() caller {
	where, err := url.Parse(base)
	if err != nil {
		die(err)
	}
	return func() caller { return &rawCaller{request: request, url: where} }
}

func (c *rawCaller) chat() (string, int64, error) {
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
		"content-length: %d\r\n\r\n", c.url.Path, c.url.Host, key, len(body))
	c.out = append(c.out, body...)
	if _, err := c.connection.Write(c.out); err != nil {
		return "", 0, err
	}
	if err := c.read(); err != nil {
		return "", 0, err
	}
	var answer Completion
	if err := json.Unmarshal(c.body, &answer); err != nil {
		return "", 0, err
	}
	if len(answer.Choices) == 0 {
		return "", 0, errors.New("no choices")
	}
	return answer.Choices[0].Message.Content, answer.Usage.TotalTokens, nil
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
