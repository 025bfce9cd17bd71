<?php
/**
 * Whether our module can be declared with this version of Ultimate Multisite.
 *
 * PHP ends every page of the network where a class does not fit what it extends, and nothing can
 * catch that. So the shape is checked first; where it is not one we know, we use hooks.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The fit of `Domain_Mapping_Module`.
 */
final class Module_Fit {

	const BASE       = 'WP_Ultimo\Integrations\Base_Capability_Module';
	const CAPABILITY = 'WP_Ultimo\Integrations\Capabilities\Domain_Mapping_Capability';

	/**
	 * The methods that our module declares: how many parameters, and what it returns. A return
	 * type that the parent does not declare may be added, and parameter types may be left out.
	 */
	const METHODS = array(
		'get_capability_id'   => array( 0, 'string' ),
		'get_title'           => array( 0, 'string' ),
		'get_explainer_lines' => array( 0, 'array' ),
		'register_hooks'      => array( 0, 'void' ),
		'supports'            => array( 1, 'bool' ),
		'on_add_domain'       => array( 2, 'void' ),
		'on_remove_domain'    => array( 2, 'void' ),
		'on_add_subdomain'    => array( 2, 'void' ),
		'on_remove_subdomain' => array( 2, 'void' ),
		'test_connection'     => array( 0, null ),
	);

	/**
	 * Whether it fits.
	 *
	 * @return bool
	 */
	public static function fits() {
		if ( ! class_exists( self::BASE ) || ! interface_exists( self::CAPABILITY ) ) {
			return false;
		}
		$base = new \ReflectionClass( self::BASE );
		if ( $base->isFinal() || ( null !== $base->getConstructor() && $base->getConstructor()->getNumberOfRequiredParameters() > 0 ) ) {
			return false;
		}
		$methods = array_merge( $base->getMethods(), ( new \ReflectionClass( self::CAPABILITY ) )->getMethods() );
		return array_filter( $methods, array( self::class, 'fits_method' ) ) === $methods;
	}

	/**
	 * Whether our module may override one method.
	 *
	 * @param \ReflectionMethod $method Of the class or the interface.
	 * @return bool
	 */
	private static function fits_method( \ReflectionMethod $method ) {
		if ( ! isset( self::METHODS[ $method->getName() ] ) ) {
			return ! $method->isAbstract();
		}
		list( $parameters, $returns ) = self::METHODS[ $method->getName() ];

		$type = $method->getReturnType();
		return ! $method->isFinal() && ! $method->isStatic() && ! $method->isPrivate()
			&& $method->getNumberOfParameters() === $parameters
			&& ( null === $type || ( $type instanceof \ReflectionNamedType && $type->getName() === $returns ) );
	}
}
