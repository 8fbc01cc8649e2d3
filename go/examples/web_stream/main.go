// net/http streams an answer to a browser. A browser that leaves ends the request to the provider.
// Here the program serves itself, and fetches its page as a browser would.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"

	literllm "github.com/liter-llm/liter-llm/go"
)

// ask answers a question, in pieces.
func ask(client *literllm.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		request := &literllm.ChatRequest{Model: "openai/gpt-4.1-mini", Prompt: r.FormValue("question")}
		for chunk, err := range client.Stream(r.Context(), request) {
			if err != nil {
				log.Print(err) // the browser gets no details
				fmt.Fprint(w, "event: failed\ndata: {}\n\n")
				return
			}
			if chunk.Text != "" {
				text, _ := json.Marshal(map[string]string{"text": chunk.Text})
				fmt.Fprintf(w, "data: %s\n\n", text)
				http.NewResponseController(w).Flush()
			}
		}
		fmt.Fprint(w, "event: done\ndata: {}\n\n")
	}
}

func main() {
	client, err := literllm.NewClient() // one for the whole program
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /ask", ask(client))
	go http.Serve(listener, nil)

	question := url.Values{"question": {"Why is the sky blue?"}}
	page, err := http.Get(fmt.Sprintf("http://%s/ask?%s", listener.Addr(), question.Encode()))
	if err != nil {
		log.Fatal(err)
	}
	defer page.Body.Close()
	fmt.Println(page.StatusCode, page.Header.Get("Content-Type"))
	io.Copy(os.Stdout, page.Body)
}
