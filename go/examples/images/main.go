// A picture and a question about it. A file goes as a data: URL, one of the web by its address.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"

	literllm "github.com/liter-llm/liter-llm/go"
)

// picture is one red pixel, in place of os.ReadFile("photo.png").
func picture() []byte {
	pixel := image.NewRGBA(image.Rect(0, 0, 1, 1))
	pixel.Set(0, 0, color.RGBA{R: 255, A: 255})
	var file bytes.Buffer
	if err := png.Encode(&file, pixel); err != nil {
		log.Fatal(err)
	}
	return file.Bytes()
}

func main() {
	client, err := literllm.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture())
	question := literllm.Message{Role: "user", Parts: []literllm.Part{
		literllm.Image(url),
		literllm.Text("What colour is this?"),
	}}
	for _, model := range []string{"openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5"} {
		response, err := client.Chat(context.Background(), &literllm.ChatRequest{
			Model:     model,
			Messages:  []literllm.Message{question},
			MaxTokens: 100,
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", response.Provider, response.Text)
	}
}
