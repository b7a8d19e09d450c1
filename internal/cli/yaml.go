package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// WriteYAML writes the value as YAML with the fields, names and order of its JSON.
func WriteYAML(w io.Writer, value any) error {
	text, err := json.Marshal(notNull(value))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	node, err := yamlNode(dec)
	if err != nil {
		return err
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return errors.Join(enc.Encode(node), enc.Close())
}

// yamlNode reads the next JSON value. Maps keep the order of their keys, which decoding into a Go map would lose.
func yamlNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		if t == '{' {
			node.Kind = yaml.MappingNode
		}
		for dec.More() { // of a map: a key and a value in turn
			item, err := yamlNode(dec)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, item)
		}
		if len(node.Content) == 0 {
			node.Style = yaml.FlowStyle
		}
		_, err := dec.Token() // its end
		return node, err
	case json.Number:
		return number(t), nil
	}
	node := &yaml.Node{}
	if err := node.Encode(token); err != nil {
		return nil, fmt.Errorf("yaml of %v: %w", token, err)
	}
	return node, nil
}

func number(n json.Number) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: n.String()}
	if _, err := n.Int64(); err == nil {
		node.Tag = "!!int"
	}
	return node
}
