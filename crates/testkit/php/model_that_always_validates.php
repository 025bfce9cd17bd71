<?php
/**
 * Plugin Name: A model of the stand-in that is always validated
 */

namespace WP_Ultimo\Models;

abstract class Base_Model {
	protected $skip_validation = false;
}
