-- Runs once, when the volume is new: the schema registry's own database.
CREATE DATABASE registry;
