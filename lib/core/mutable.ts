/**
 * For objects under construction, whose optional members are set or stay away. On the packet path
 * this takes the place of spreading: `...(x === undefined ? {} : { x })` costs as much as encoding
 * a message.
 */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
