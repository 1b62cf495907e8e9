package ledger

import (
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// unknownKeys are the keys of an object that have no field in this version, with their
// values.
type unknownKeys map[string]cbor.RawMessage

// MarshalCBOR implements cbor.Marshaler.
func (s stateV1) MarshalCBOR() ([]byte, error) { return encodeObject(s, s.Unknown) }

// MarshalCBOR implements cbor.Marshaler.
func (s progressV1) MarshalCBOR() ([]byte, error) { return encodeObject(s, s.Unknown) }

// MarshalCBOR implements cbor.Marshaler.
func (s setV1) MarshalCBOR() ([]byte, error) { return encodeObject(s, s.Unknown) }

// UnmarshalCBOR implements cbor.Unmarshaler.
func (s *stateV1) UnmarshalCBOR(data []byte) error { return decodeObject(data, s, &s.Unknown) }

// UnmarshalCBOR implements cbor.Unmarshaler.
func (s *progressV1) UnmarshalCBOR(data []byte) error { return decodeObject(data, s, &s.Unknown) }

// UnmarshalCBOR implements cbor.Unmarshaler.
func (s *setV1) UnmarshalCBOR(data []byte) error { return decodeObject(data, s, &s.Unknown) }

// encodeObject returns a struct's fields that are not zero, and unknown keys.
func encodeObject(object any, unknown unknownKeys) ([]byte, error) {
	all := map[string]any{}
	for key, value := range unknown {
		all[key] = value
	}
	v := reflect.ValueOf(object)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("cbor"); key != "-" && !v.Field(i).IsZero() {
			all[key] = v.Field(i).Interface()
		}
	}
	return encoding.Marshal(all)
}

// decodeObject sets the fields of a struct, and unknown to the keys that have no field.
func decodeObject(data []byte, object any, unknown *unknownKeys) error {
	var all unknownKeys
	if err := decoding.Unmarshal(data, &all); err != nil {
		return err
	}
	v := reflect.ValueOf(object).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("cbor")
		if value, ok := all[key]; ok && key != "-" {
			delete(all, key)
			if err := decoding.Unmarshal(value, v.Field(i).Addr().Interface()); err != nil {
				return err
			}
		}
	}
	*unknown = all
	return nil
}
