package literllm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
)

// Vectors are the vectors of an answer, one for each input in their order. All share their memory.
// Each call decodes them anew, so keep what it gives. The numbers of another encoding than floats are
// whole: -128 to 127 for "int8" and "binary", 0 to 255 for "uint8" and "ubinary". The error is of
// the kind bad_response, for a document that the engine has not written.
func (v *EmbedResponse) Vectors() ([][]float32, error) {
	vectors := make([][]float32, len(v.Data))
	var all []float32
	for i := range v.Data {
		vector, err := decodeVector(all, string(v.Data[i].Embedding), v.Encoding)
		if err != nil {
			return nil, err
		}
		if len(vector)-len(all) == 0 || i > 0 && len(vector)-len(all) != len(all)/i {
			return nil, newError(ErrBadResponse, "the vectors of this document are empty or differ in length")
		}
		if i == 0 {
			all = make([]float32, 0, len(vector)*len(v.Data))
			all = append(all, vector...)
		} else {
			all = vector
		}
		vectors[i] = all
	}
	// The list may have moved while it grew.
	from := 0
	for i, upTo := range vectors {
		vectors[i] = all[from:len(upTo):len(upTo)]
		from = len(upTo)
	}
	return vectors, nil
}

// decodeVector appends the numbers of a vector to a list.
func decodeVector(to []float32, text, encoding string) ([]float32, error) {
	if encoding == "float" {
		var numbers []float32
		if err := json.Unmarshal([]byte(text), &numbers); err != nil {
			return nil, newError(ErrBadResponse, "a vector of this document is no list of numbers")
		}
		return append(to, numbers...), nil
	}
	var packed string
	if err := json.Unmarshal([]byte(text), &packed); err != nil {
		return nil, newError(ErrBadResponse, "a vector of this document is no text")
	}
	decoded, err := base64.StdEncoding.DecodeString(packed)
	if err != nil || encoding == "base64" && len(decoded)%4 != 0 {
		return nil, newError(ErrBadResponse, "a vector of this document is not base64 of its numbers")
	}
	switch encoding {
	case "base64":
		for at := 0; at < len(decoded); at += 4 {
			to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(decoded[at:])))
		}
	case "int8", "binary":
		for _, number := range decoded {
			to = append(to, float32(int8(number)))
		}
	default:
		for _, number := range decoded {
			to = append(to, float32(number))
		}
	}
	return to, nil
}
